package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// look is one snapshot, indexed once, so that every rule costs no more than
// one pass over what it reads.
type look struct {
	s *swarm.Snapshot
	// now is the time of the look by the clock of the manager that answered:
	// the times of tasks are the swarm's, not this machine's.
	now time.Time
	// docker is the command that reaches the swarm.
	docker string
	kernel *Kernel

	nodes    map[string]*swarm.Node
	services map[string]*swarm.Service
	// networks are overlays and others by ID; byName those of the swarm.
	networks map[string]*swarm.Network
	byName   map[string]*swarm.Network
	ingress  []*swarm.Network
	tasks    map[string][]*swarm.Task // by service ID
	// members are the services that want to be on a network, by its ID.
	members map[string][]*swarm.Service
	// live counts the tasks that have not ended, attached lists the "docker
	// run" containers that have not, by network ID.
	live     map[string]int
	attached map[string][]*swarm.Attachment
	// predefined are networks such as "host", which the list leaves out.
	predefined map[string]bool

	usages     map[string]addr.NetworkUsage
	slotsOf    map[string][]slot
	suitables  map[string][]swarm.Node
	refusalsOf map[string]string
}

func newLook(s *swarm.Snapshot, in Input) *look {
	l := &look{
		s: s, now: s.Taken, docker: "docker",
		nodes: map[string]*swarm.Node{}, services: map[string]*swarm.Service{},
		networks: map[string]*swarm.Network{}, byName: map[string]*swarm.Network{},
		tasks: map[string][]*swarm.Task{}, members: map[string][]*swarm.Service{},
		live: map[string]int{}, attached: map[string][]*swarm.Attachment{}, predefined: map[string]bool{},
		suitables: map[string][]swarm.Node{}, refusalsOf: map[string]string{},
	}
	if !s.Engine.Clock.IsZero() {
		l.now = s.Engine.Clock
	}
	if len(in.Snapshots) > 1 {
		l.docker = "docker -c " + text.Clean(s.Context)
	}
	if k, ok := in.Kernels[s.Context]; ok {
		l.kernel = &k
	}
	for i := range s.Nodes {
		l.nodes[s.Nodes[i].ID] = &s.Nodes[i]
	}
	for i := range s.Networks {
		l.addNetwork(&s.Networks[i])
	}
	for i := range s.Services {
		l.addService(&s.Services[i])
	}
	for i := range s.Tasks {
		l.addTask(&s.Tasks[i])
	}
	for i := range s.Attachments {
		a := &s.Attachments[i]
		for _, on := range a.Networks {
			if !a.State.Ended() {
				l.attached[on.NetworkID] = append(l.attached[on.NetworkID], a)
			}
		}
	}
	return l
}

func (l *look) addNetwork(n *swarm.Network) {
	l.networks[n.ID] = n
	if n.Scope == "swarm" {
		l.byName[n.Name] = n
	}
	if n.Ingress {
		l.ingress = append(l.ingress, n)
	}
}

func (l *look) addService(sv *swarm.Service) {
	l.services[sv.ID] = sv
	for _, n := range l.wanted(sv) {
		l.members[n.ID] = append(l.members[n.ID], sv)
	}
}

func (l *look) addTask(t *swarm.Task) {
	l.tasks[t.ServiceID] = append(l.tasks[t.ServiceID], t)
	for _, on := range t.Networks {
		if on.Predefined {
			l.predefined[on.NetworkID] = true
		}
		if !t.State.Ended() {
			l.live[on.NetworkID]++
		}
	}
}

// target returns the network that a service's spec names: by its ID, as docker
// writes it, or by its name, as an API client may have.
func (l *look) target(ref string) (*swarm.Network, bool) {
	if n, ok := l.networks[ref]; ok {
		return n, true
	}
	n, ok := l.byName[ref]
	return n, ok
}

// wanted returns the overlay networks that a service asks for, ingress
// included, each once.
func (l *look) wanted(sv *swarm.Service) []*swarm.Network {
	var out []*swarm.Network
	for _, a := range sv.Networks {
		if n, ok := l.target(a.Target); ok && n.Overlay() && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if sv.NeedsIngress() && len(l.ingress) > 0 {
		out = append(out, l.ingress[0])
	}
	return out
}

// overlays returns the overlay networks.
func (l *look) overlays() []*swarm.Network {
	var out []*swarm.Network
	for i := range l.s.Networks {
		if n := &l.s.Networks[i]; n.Overlay() {
			out = append(out, n)
		}
	}
	return out
}

// usage is how full a network is.
func (l *look) usage(n *swarm.Network) addr.NetworkUsage {
	if l.usages == nil {
		l.usages = map[string]addr.NetworkUsage{}
		book := addr.BookOf(l.s)
		for _, o := range l.overlays() {
			l.usages[o.ID] = book.Usage(*o)
		}
	}
	return l.usages[n.ID]
}

// full tells whether a network that has subnets has no address left.
func (l *look) full(n *swarm.Network) bool {
	u := l.usage(n)
	return u.Capacity > 0 && u.Free == 0
}

// older tells whether something is longer ago than d. What has no time is.
func (l *look) older(t time.Time, d time.Duration) bool { return l.now.Sub(t) > d }

// missing says why a part of the look is not known, "" when it is.
func (l *look) missing(part string) string {
	switch part {
	case ReadsEngine:
		return ""
	case ReadsKernel:
		if l.kernel == nil {
			return "the kernel of the engine can only be looked at where it runs on this machine"
		}
		return ""
	case ReadsStatus:
		return l.missingStatus()
	}
	if err := l.s.UnreadErr(part); err != nil {
		return "the " + part + " could not be read: " + text.Clean(strings.Join(strings.Fields(err.Error()), " "))
	}
	if !l.s.Cluster.Manager {
		return "the engine is not a manager of a swarm, which alone knows its " + part
	}
	return ""
}

// nodeName is what people call a node, cleaned.
func (l *look) nodeName(id string) string {
	if n, ok := l.nodes[id]; ok {
		return text.Clean(cmp.Or(n.Hostname, n.ID))
	}
	return text.Clean(id)
}

// cmd is a docker command that reaches this swarm.
func (l *look) cmd(format string, args ...any) string {
	return l.docker + " " + fmt.Sprintf(format, args...)
}

// onNetwork begins a finding about a network.
func (l *look) onNetwork(n *swarm.Network, format string, args ...any) Finding {
	return Finding{
		Context: l.s.Context, Kind: "network", Object: text.Clean(n.Name), Networks: []string{n.ID},
		Text: fmt.Sprintf(format, args...), Next: l.cmd("swarmnet ps %s", text.Clean(n.Name)),
	}
}

// onService begins a finding about a service.
func (l *look) onService(sv *swarm.Service, format string, args ...any) Finding {
	f := Finding{
		Context: l.s.Context, Kind: "service", Object: text.Clean(sv.Name),
		Text: fmt.Sprintf(format, args...), Next: l.cmd("swarmnet explain %s", text.Clean(sv.Name)),
	}
	f.Services = []string{sv.ID}
	for _, n := range l.wanted(sv) {
		f.Networks = append(f.Networks, n.ID)
	}
	return f
}

// affecting adds services that a finding is about.
func (f Finding) affecting(services ...*swarm.Service) Finding {
	for _, sv := range services {
		if !slices.Contains(f.Services, sv.ID) {
			f.Services = append(f.Services, sv.ID)
		}
	}
	return f
}

// shownBy says which task shows it best.
func (f Finding) shownBy(t *swarm.Task) Finding {
	f.Task = t.ID
	return f
}

// onNode begins a finding about a node.
func (l *look) onNode(n *swarm.Node, format string, args ...any) Finding {
	return Finding{
		Context: l.s.Context, Kind: "node", Object: l.nodeName(n.ID),
		Text: fmt.Sprintf(format, args...), Next: l.cmd("node inspect --pretty %s", n.ID),
	}
}

// onSwarm begins a finding about the swarm as a whole.
func (l *look) onSwarm(format string, args ...any) Finding {
	return Finding{
		Context: l.s.Context, Kind: "swarm", Object: text.Clean(l.s.Context),
		Text: fmt.Sprintf(format, args...), Next: l.cmd("node ls"),
	}
}

// as says that a finding is less bad than its rule.
func (f Finding) as(s Severity) Finding {
	f.Severity = s
	return f
}

// then sets the command to type next.
func (f Finding) then(next string) Finding {
	f.Next = next
	return f
}

// touching adds networks that a finding is about.
func (f Finding) touching(networks ...*swarm.Network) Finding {
	for _, n := range networks {
		if !slices.Contains(f.Networks, n.ID) {
			f.Networks = append(f.Networks, n.ID)
		}
	}
	return f
}

// some names a handful and counts the rest.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plural is a number with its noun.
func plural(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "s"):
		return fmt.Sprintf("%d %ses", n, word)
	default:
		return fmt.Sprintf("%d %ss", n, word)
	}
}

// name quotes a name from the swarm.
func name(s string) string { return fmt.Sprintf("%q", text.Clean(s)) }
