package migrate

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// The labels that remember a migration: on the twin, whose labels go with it;
// on the services where a network is renamed and there is no twin. The labels
// of a network can never be changed, so neither the old network nor the new
// one carries any of them.
const (
	// LabelNetwork is the name of the network that is migrated.
	LabelNetwork = "com.docker.swarmnet.migrate.network"
	// LabelJob is the whole migration, as JSON.
	LabelJob = "com.docker.swarmnet.migrate.job"
)

// Job is a migration under way: what must be remembered to go on with it or to
// undo it. How far it has come is not part of it; that is seen in the swarm.
type Job struct {
	// Before and Goal are the network as it was and as it shall be.
	Before swarm.NetworkSpec `json:"before"`
	Goal   swarm.NetworkSpec `json:"goal"`
	// Twin is the name of the network that services are on while the name of
	// the old one is free for the new one; empty where the network is renamed.
	Twin string `json:"twin,omitempty"`
	// Direct are the IDs of the services that move in one update rather than
	// two: no two of them talk to each other.
	Direct []string `json:"direct,omitempty"`
}

// Renames tells whether the new network has another name than the old one.
func (j Job) Renames() bool { return j.Twin == "" }

// Labels are the labels that remember the job.
func (j Job) Labels() (map[string]string, error) {
	b, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("the migration of network %q cannot be written down: %w", j.Before.Name, err)
	}
	return map[string]string{LabelNetwork: j.Before.Name, LabelJob: string(b)}, nil
}

// twinSpec is the twin: the new network under another name, closed to "docker
// run" (whose containers could not follow), with the labels of the old one and
// the job's.
func (j Job) twinSpec() (swarm.NetworkSpec, error) {
	spec := j.Goal
	spec.Name, spec.Attachable, spec.Subnets = j.Twin, false, nil
	spec.Options = maps.Clone(j.Goal.Options)
	delete(spec.Options, swarm.OptVNI)
	labels, err := j.Labels()
	if err != nil {
		return spec, err
	}
	spec.Labels = maps.Clone(j.Before.Labels)
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	maps.Copy(spec.Labels, labels)
	return spec, nil
}

// twinName returns a name for the twin that a swarm accepts.
func twinName(name string) string {
	const suffix = "-twin"
	const most = 63 // netspec.CheckName
	if len(name)+len(suffix) > most {
		name = strings.TrimRight(name[:most-len(suffix)], "-_")
	}
	return name + suffix
}

// Find returns the migration under way that name means: the name of the
// network that is migrated, of its twin, or its new name.
func Find(s *swarm.Snapshot, name string) (Job, bool) {
	for _, j := range Jobs(s) {
		for _, known := range []string{j.Before.Name, j.Goal.Name, j.Twin} {
			if known != "" && strings.EqualFold(known, name) {
				return j, true
			}
		}
	}
	return Job{}, false
}

// Jobs returns the migrations under way. A label that is none of this
// program's, or of a version that wrote otherwise, is none.
func Jobs(s *swarm.Snapshot) []Job {
	var jobs []Job
	seen := map[string]bool{}
	add := func(labels map[string]string, renames bool) {
		value := labels[LabelJob]
		var j Job
		if value == "" || seen[value] || json.Unmarshal([]byte(value), &j) != nil || j.Renames() != renames || j.Before.Name == "" {
			return
		}
		seen[value] = true
		jobs = append(jobs, j)
	}
	for _, n := range s.Networks {
		if n.Scope == "swarm" {
			add(n.Labels, false)
		}
	}
	for _, sv := range s.Services {
		add(sv.Labels, true)
	}
	return jobs
}

// named returns the swarm's network of a name.
func named(s *swarm.Snapshot, name string) (swarm.Network, bool) {
	for _, n := range s.Networks {
		if n.Scope == "swarm" && strings.EqualFold(n.Name, name) {
			return n, true
		}
	}
	return swarm.Network{}, false
}

// asSpecified tells whether a network is as a spec says.
func asSpecified(n swarm.Network, spec swarm.NetworkSpec) bool {
	return len(netspec.Differences(n, netspec.Wish{Spec: spec})) == 0
}
