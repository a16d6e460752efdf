// Package mesh decides how the ingress network, which carries the routing mesh
// of a swarm, is made anew: the swarm never changes a network, and lets ingress
// go only while no service publishes a port through it.
package mesh

import (
	"encoding/json"
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Labels on services while ingress is made anew. They are all the memory that
// going on after a crash needs; a network's own labels can never be changed.
const (
	// LabelJob holds the whole Job, as JSON, from the first change to the last.
	LabelJob = "com.docker.swarmnet.ingress.job"
	// LabelPorts holds the published ports of a service while they are off, in
	// the engine's JSON.
	LabelPorts = "com.docker.swarmnet.ingress.ports"
)

// Job is what must be remembered to go on with it or to undo it. How far it has
// come is not part of it; that is seen in the swarm.
type Job struct {
	// Before is ingress as it was; its Name is empty where there was none.
	Before swarm.NetworkSpec `json:"before"`
	// Goal is ingress as it shall be, with its subnets.
	Goal swarm.NetworkSpec `json:"goal"`
}

// Label is the job as LabelJob holds it.
func (j Job) Label() (string, error) {
	b, err := json.Marshal(j)
	if err != nil {
		return "", fmt.Errorf("the change of the ingress network cannot be written down: %w", err)
	}
	return string(b), nil
}

// Find returns the job that services remember. A label that is none of this
// program's is none.
func Find(s *swarm.Snapshot) (Job, bool) {
	for _, sv := range s.Services {
		var j Job
		if value := sv.Labels[LabelJob]; value != "" && json.Unmarshal([]byte(value), &j) == nil && j.Goal.Name != "" {
			return j, true
		}
	}
	return Job{}, false
}
