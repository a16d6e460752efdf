package commands

import (
	"encoding/json"
	"io"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
)

// rewirePlanJSON is what attach or detach would do in one swarm, as --format
// json shows it.
type rewirePlanJSON struct {
	Context  string
	Services []rewireStepJSON
}

type rewireStepJSON struct {
	Name     string
	Changed  bool
	Change   string   `json:",omitempty"`
	Restarts int      `json:",omitempty"`
	Gains    []string `json:",omitempty"`
	Loses    []string `json:",omitempty"`
	// CutOff are services that can no longer reach this one.
	CutOff    []string           `json:",omitempty"`
	Addresses []addr.NetworkNeed `json:",omitempty"`
	Warnings  []string           `json:",omitempty"`
}

// showRewiring writes a plan for people, or as one line of JSON.
func showRewiring(out io.Writer, p rewire.Plan, format string) error {
	if format != "json" {
		_, err := io.WriteString(out, p.String())
		return err
	}
	j := rewirePlanJSON{Context: p.Context}
	for _, st := range p.Steps {
		step := rewireStepJSON{Name: st.Service.Name, Changed: st.Changed}
		if st.Changed {
			step.Change, step.Restarts, step.Gains, step.Loses = st.What(), st.Restarts, st.Gains, st.Loses
			step.CutOff, step.Addresses, step.Warnings = st.Apart, st.Needs, st.Warnings
		}
		j.Services = append(j.Services, step)
	}
	return json.NewEncoder(out).Encode(j)
}
