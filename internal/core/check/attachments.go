package check

import (
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// endTime is how long a container may take to leave a network after the swarm
// has let it go.
const endTime = time.Minute

// lost tells whether an attachment's node is down or gone.
func (l *look) lost(a *swarm.Attachment) bool {
	n, ok := l.nodes[a.NodeID]
	return a.NodeID != "" && (!ok || down(n))
}

func (l *look) each(f func(n *swarm.Network, a *swarm.Attachment)) {
	for _, n := range l.overlays() {
		for _, a := range l.attached[n.ID] {
			f(n, a)
		}
	}
}

// onContainer begins a finding about a "docker run" container on a network.
func (l *look) onContainer(n *swarm.Network, a *swarm.Attachment, format string, args ...any) Finding {
	f := l.onNetwork(n, format, args...)
	f.Kind, f.Object = "container", short(a.ContainerID)
	return f
}

func attachmentOnLostNode(l *look) (o outcome) {
	l.each(func(n *swarm.Network, a *swarm.Attachment) {
		if !l.lost(a) {
			return
		}
		is, next := "is gone", l.cmd("swarmnet ps %s", text.Clean(n.Name))
		if _, known := l.nodes[a.NodeID]; known {
			is, next = "is down", "bring "+l.nodeName(a.NodeID)+" back, or: "+l.cmd("node rm --force %s", text.Clean(l.s.NodeArg(a.NodeID)))
		}
		f := l.onContainer(n, a, "it holds an address on network %s, and its node %s %s", name(n.Name), l.nodeName(a.NodeID), is)
		o.add(f.then(next))
	})
	return o
}

// attachmentHoldsNetwork is a note: a network for containers alone is what
// attachable networks are made for. It says what a removal would meet.
func attachmentHoldsNetwork(l *look) (o outcome) {
	for _, n := range l.overlays() {
		held := l.attached[n.ID]
		if n.Ingress || len(held) == 0 || len(l.members[n.ID]) > 0 || l.live[n.ID] > 0 {
			continue
		}
		var where []string
		for _, a := range held {
			where = append(where, short(a.ContainerID)+" on "+l.nodeName(a.NodeID))
		}
		o.add(l.onNetwork(n, "no service is on it, and docker's lists do not show who is: %s", some(where)))
	}
	return o
}

func attachmentNotEnding(l *look) (o outcome) {
	l.each(func(n *swarm.Network, a *swarm.Attachment) {
		if !a.Desired.Ended() || l.lost(a) || !l.older(a.Updated, endTime) {
			return
		}
		f := l.onContainer(n, a, "the swarm let it go, and it is still on network %s on %s", name(n.Name), l.nodeName(a.NodeID))
		o.add(f.then("on " + l.nodeName(a.NodeID) + ": docker network disconnect -f " + text.Clean(n.Name) + " " + short(a.ContainerID)))
	})
	return o
}
