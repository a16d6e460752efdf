package commands

import (
	"fmt"
	"io"
	"strconv"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// usageRow is how full one subnet is, in the JSON of "inspect".
type usageRow struct {
	Subnet        string
	Range         string
	Gateway       string
	Used          int
	Free          int
	VIPs          int
	Tasks         int
	Containers    int
	LoadBalancers int
}

func usageRows(s *swarm.Snapshot, n swarm.Network) []usageRow {
	if !n.Overlay() {
		return nil
	}
	var out []usageRow
	for i, u := range addr.Usage(s, n).Subnets {
		r := usageRow{
			Subnet: u.Prefix.String(), Range: u.Range.String(), Used: u.InUse.Total(), Free: u.Free, VIPs: u.InUse.VIPs,
			Tasks: u.InUse.Tasks, Containers: u.InUse.Attachments, LoadBalancers: u.InUse.LoadBalancers,
		}
		if g := n.Subnets[i].Gateway; g.IsValid() {
			r.Gateway = g.String()
		}
		out = append(out, r)
	}
	return out
}

// Sentence says a subnet's use for people.
func (u usageRow) Sentence() string {
	return fmt.Sprintf("%s, gateway %s: %d used (%d virtual, %d tasks, %d containers, %d load balancers), %d free",
		u.Subnet, orDash(u.Gateway), u.Used, u.VIPs, u.Tasks, u.Containers, u.LoadBalancers, u.Free)
}

// networkMTU is the MTU that containers get on a network.
func networkMTU(n swarm.Network) string {
	if n.Overlay() {
		return strconv.Itoa(addr.MTU(n))
	}
	if m := n.Options[swarm.OptMTU]; m != "" {
		return text.Clean(m)
	}
	return format.Dash
}

func writeMembers(out io.Writer, s *swarm.Snapshot, n swarm.Network) error {
	var rows []format.Row
	for _, m := range members.Of(s, n, false) {
		rows = append(rows, memberRowOf(m, s.Taken, false))
	}
	return memberTable().Write(out, "", false, rows)
}
