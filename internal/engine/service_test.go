package engine

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

// TestServiceReadAsListed: a service read from the stream is what the client
// module makes of the same text, its spec above all.
func TestServiceReadAsListed(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 891, time.UTC)
	replicas := uint64(3)
	grace := 10 * time.Second
	ports := []swarm.PortConfig{
		{Name: "a", Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress"},
		{Protocol: "udp", TargetPort: 53},
		{Protocol: "tcp", TargetPort: 80, PublishMode: "ingress"},
	}
	allocated := slices.Clone(ports)
	allocated[1].PublishedPort, allocated[1].PublishMode, allocated[2].PublishedPort = 30000, "ingress", 30001
	spec := swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "web", Labels: map[string]string{"ID": "not this", "quoted": "a \"b\""}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: "web:1", Env: []string{"A=1"}, StopGracePeriod: &grace},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "net", Aliases: []string{"w"}}},
		},
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeVIP, Ports: ports},
	}
	full := swarm.Service{
		ID: "id", Meta: swarm.Meta{Version: swarm.Version{Index: 1 << 60}, CreatedAt: at, UpdatedAt: at.Add(time.Hour)},
		Spec: spec, PreviousSpec: &spec,
		Endpoint: swarm.Endpoint{
			Spec: *spec.EndpointSpec, Ports: allocated,
			VirtualIPs: []swarm.EndpointVirtualIP{{NetworkID: "net", Addr: "10.0.0.3/24"}, {NetworkID: "other"}},
		},
		UpdateStatus: &swarm.UpdateStatus{State: swarm.UpdateStatePaused, StartedAt: &at, Message: "line\n\"two\""},
		JobStatus:    &swarm.JobStatus{JobIteration: swarm.Version{Index: 4}, LastExecution: at},
	}
	bare := full
	bare.PreviousSpec, bare.UpdateStatus, bare.JobStatus, bare.Endpoint = nil, nil, nil, swarm.Endpoint{}
	for _, service := range []swarm.Service{{}, full, bare} {
		text, err := json.Marshal(service)
		assert.NilError(t, err)
		var whole swarm.Service
		assert.NilError(t, json.Unmarshal(text, &whole))
		got, err := readService(newInput(bytes.NewReader(text)))
		assert.NilError(t, err)
		assert.Check(t, is.DeepEqual(serviceOf(got), serviceOf(whole), cmpopts.EquateComparable(netip.Prefix{})))
		assert.Check(t, is.DeepEqual(got.Spec, whole.Spec))
		if len(got.Endpoint.Ports) > 0 {
			assert.Check(t, is.DeepEqual(serviceOf(got).Chosen, []uint32{30000, 30001}))
		}
		// Null is nothing.
		nulls, err := readService(newInput(strings.NewReader(`{"ID":null,"Version":null,"CreatedAt":null,"Spec":null,"PreviousSpec":null,"UpdateStatus":null,"Endpoint":{"Spec":null,"Ports":null,"VirtualIPs":[null]}}`)))
		assert.NilError(t, err)
		assert.Check(t, is.DeepEqual(nulls, swarm.Service{Endpoint: swarm.Endpoint{VirtualIPs: []swarm.EndpointVirtualIP{{}}}}))
		// Cut off anywhere, it is an error.
		for n := range text {
			_, err := readService(newInput(bytes.NewReader(text[:n])))
			assert.Check(t, err != nil, "%d bytes", n)
		}
	}
}
