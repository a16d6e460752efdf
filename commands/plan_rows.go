package commands

import (
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

func planTable() format.Table {
	return format.Table{
		Default: "table {{.Action}}\t{{.Kind}}\t{{.Name}}\t{{.Cause}}\t{{.Effect}}",
		Quiet:   "{{.Kind}} {{.Name}}",
		Names: format.Names{
			"Context": "CONTEXT", "Stack": "STACK", "Action": "ACTION", "Kind": "KIND", "Name": "NAME", "ID": "ID", "Version": "VERSION",
			"Cause": "CAUSE", "Effect": "EFFECT", "DependsOn": "DEPENDS ON", "Note": "NOTE", "WayOut": "WAY OUT", "Error": "ERROR",
		},
	}
}

// planRow is a step of a plan as a line of a table and an object of JSON.
type planRow struct {
	format.Header `json:"-"`

	Context, Stack string
	Action, Kind   string
	Name, ID       string
	Version        uint64
	Cause          changeList
	Effect         stepEffect
	DependsOn      format.List
	Note, WayOut   string
	// Error is empty here; a context that has no answer is a row of its own.
	Error string `json:"-"`
}

// changeRow is one thing that differs. Old and New are empty where the value is
// not to be shown; Changed then says all.
type changeRow struct {
	Field, Old, New string
	Restarts        bool
}

type changeList []changeRow

func (l changeList) String() string {
	if len(l) == 0 {
		return format.Dash
	}
	var changes []deploy.Change
	for _, c := range l {
		changes = append(changes, deploy.Change{Field: c.Field, From: c.Old, To: c.New, Restarts: c.Restarts})
	}
	return plan.Words(changes)
}

// stepEffect is plan.Effect in JSON's words.
type stepEffect struct {
	Restarts, Starts, Stops int
	Order                   string
	Parallel                uint64
	Addresses               []addressNeed
	PortsTaken, PortsFreed  []effectPort
	NamesGained, NamesLost  []effectName

	text string
}

func (e stepEffect) String() string { return e.text }

type addressNeed struct {
	Network                                         string
	VIPs, Tasks, Surge, LoadBalancers, Needed, Free int
}

type effectPort struct {
	Published uint32
	Protocol  string
	Mode      string
}

type effectName struct{ Network, Name string }

// planRows returns a row for each step, for -q only for those that do something.
func planRows(p plan.Plan, quiet bool) []format.Row {
	var rows []format.Row
	for _, s := range p.Steps {
		if quiet && s.Action == plan.Unchanged {
			continue
		}
		r := &planRow{
			Context: p.Context, Stack: text.Clean(p.Stack), Action: string(s.Action), Kind: string(s.Kind), Name: text.Clean(s.Name),
			ID: s.ID, Version: s.Version, Cause: changeList{}, Effect: effectRow(s.Effect), DependsOn: format.List{}, Note: s.Note, WayOut: s.WayOut,
		}
		for _, c := range s.Cause {
			r.Cause = append(r.Cause, changeRow{Field: text.Clean(c.Field), Old: text.Clean(c.From), New: text.Clean(c.To), Restarts: c.Restarts})
		}
		for _, d := range s.DependsOn {
			r.DependsOn = append(r.DependsOn, string(d.Kind)+" "+d.Name)
		}
		rows = append(rows, r)
	}
	return rows
}

func effectRow(e plan.Effect) stepEffect {
	r := stepEffect{
		Restarts: e.Restarts, Starts: e.Starts, Stops: e.Stops, Order: e.Order, Parallel: e.Parallel, text: e.String(),
		Addresses: []addressNeed{}, PortsTaken: effectPorts(e.PortsTaken), PortsFreed: effectPorts(e.PortsFreed),
		NamesGained: effectNames(e.NamesGained), NamesLost: effectNames(e.NamesLost),
	}
	if r.text == "" {
		r.text = format.Dash
	}
	for _, n := range e.Addresses {
		r.Addresses = append(r.Addresses, addressNeed{
			Network: text.Clean(n.Network), VIPs: n.VIPs, Tasks: n.Tasks, Surge: n.Surge, LoadBalancers: n.LoadBalancers, Needed: n.Total(), Free: n.Free,
		})
	}
	return r
}

func effectPorts(in []swarm.Port) []effectPort {
	out := make([]effectPort, 0, len(in))
	for _, p := range in {
		out = append(out, effectPort{p.Published, p.Protocol, p.Mode})
	}
	return out
}

func effectNames(in []plan.Name) []effectName {
	out := make([]effectName, 0, len(in))
	for _, n := range in {
		out = append(out, effectName{text.Clean(n.Network), text.Clean(n.Name)})
	}
	return out
}
