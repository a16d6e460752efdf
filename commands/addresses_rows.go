package commands

import (
	"fmt"
	"math"
	"strconv"

	"github.com/swarmnet/docker-swarmnet/internal/core/ledger"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

func addressTable() format.Table {
	return format.Table{
		Default: "table {{.Network}}\t{{.Subnet}}\t{{.Gateway}}\t{{.Usable}}\t{{.VIPs}}\t{{.Tasks}}\t{{.Containers}}\t{{.LoadBalancers}}\t{{.Free}}\t{{.Leaked}}\t{{.Percent}}\t{{.Fits}}\t{{.StartFirst}}\t{{.State}}",
		Names: format.Names{
			"Context": "CONTEXT", "Network": "NETWORK", "NetworkID": "NETWORK ID", "Subnet": "SUBNET", "Gateway": "GATEWAY", "Size": "SIZE",
			"Usable": "USABLE", "VIPs": "VIP", "Tasks": "TASKS", "Containers": "CONTAINERS", "LoadBalancers": "LB", "Free": "FREE",
			"Leaked": "LEAKED", "Percent": "USED %", "Fits": "FITS", "StartFirst": "START-FIRST", "Waiting": "WAITING", "NearFull": "NEAR FULL", "State": "STATE", "Error": "ERROR",
		},
	}
}

// addressRow is a line of "addresses" and an object of its JSON.
type addressRow struct {
	format.Header `json:"-"`

	Kind                                            string
	Context                                         string
	Network                                         string
	NetworkID                                       string
	Subnet                                          string
	Gateway                                         string
	Size, Usable                                    number
	VIPs, Tasks, Containers, LoadBalancers, Waiting int
	Free                                            number
	Leaked                                          count
	Percent                                         int
	Fits                                            count
	StartFirst                                      number
	NearFull                                        bool
	State                                           string `json:"-"`
	// Error is empty here; a context that has no answer is a row of its own.
	Error string `json:"-"`
}

// number is a count of addresses; IPv6 has subnets with more than fit.
type number int

func (n number) String() string {
	if n == math.MaxInt {
		return "many"
	}
	return strconv.Itoa(int(n))
}

func addressRowOf(l ledger.Line, noTrunc bool) *addressRow {
	r := &addressRow{
		Kind: "subnet", Context: text.Clean(l.Context), Network: text.Clean(l.Network), NetworkID: format.ShortID(l.NetworkID, noTrunc),
		Subnet: l.Prefix.String(), Gateway: format.Dash, Size: number(l.Size), Usable: number(l.Usable),
		VIPs: l.InUse.VIPs, Tasks: l.InUse.Tasks, Containers: l.InUse.Attachments, LoadBalancers: l.InUse.LoadBalancers,
		Waiting: l.Waiting, Free: number(l.Free), Percent: l.Percent,
		Leaked: count{l.Leaks.N, l.Leaks.Known}, Fits: count{l.Fits, l.Fits >= 0}, StartFirst: number(l.StartFirst), NearFull: l.NearlyFull(), State: "ok",
	}
	if l.Gateway.IsValid() {
		r.Gateway = l.Gateway.String()
	}
	switch {
	case l.Waiting > 0:
		r.State = fmt.Sprintf("%d waiting for an address", l.Waiting)
	case l.Percent >= 100:
		r.State = "full"
	case r.NearFull:
		r.State = "near full"
	}
	return r
}

func poolTable() format.Table {
	return format.Table{
		Default: "table {{.Context}}\t{{.Pool}}\t{{.BlockSize}}\t{{.BlocksLeft}}",
		Names:   format.Names{"Context": "CONTEXT", "Pool": "POOL", "BlockSize": "BLOCK SIZE", "BlocksLeft": "BLOCKS LEFT"},
	}
}

// poolRow is a line of the section on pools and an object of the JSON.
type poolRow struct {
	format.Header `json:"-"`

	Kind       string
	Context    string
	Pool       string
	BlockSize  string
	BlocksLeft number
}

func poolRowOf(p ledger.Pool) *poolRow {
	return &poolRow{
		Kind: "pool", Context: text.Clean(p.Context), Pool: p.Prefix.String(), BlockSize: fmt.Sprintf("/%d", p.Bits), BlocksLeft: number(p.Left),
	}
}

func overlapTable() format.Table {
	return format.Table{
		Default: "table {{.Overlap}}\t{{.With}}",
		Names:   format.Names{"Overlap": "OVERLAP", "With": "WITH"},
	}
}

// overlapRow is a line of the section on overlaps and an object of the JSON.
type overlapRow struct {
	format.Header `json:"-"`

	Kind    string
	Overlap blockName
	With    blockName
}

// blockName says who uses a block.
type blockName struct{ Context, Network, Node, Block string }

// String names it in a table.
func (b blockName) String() string {
	what, name := "network", b.Network
	if b.Node != "" {
		what, name = "node", b.Node
	}
	return fmt.Sprintf("%s %s of %s (%s)", what, name, b.Context, b.Block)
}

func overlapRowOf(o ledger.Overlap) *overlapRow {
	name := func(b ledger.Block) blockName {
		return blockName{text.Clean(b.Context), text.Clean(b.Network), text.Clean(b.Node), b.Prefix.String()}
	}
	return &overlapRow{Kind: "overlap", Overlap: name(o.A), With: name(o.B)}
}
