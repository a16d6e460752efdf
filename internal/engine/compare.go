package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Against compares the request with the service that exists and returns what
// differs; nothing means that the service is as asked for. Both are brought to
// one form first, since the swarm fills in what a request leaves out.
//
// Parts that mean the same are then taken over from the service word for word,
// so that an update touches nothing else: the swarm replaces tasks even when
// only the order of a service's networks or secrets differs (swarmkit
// IsTaskDirty).
func (r *ServiceRequest) Against(existing model.Service, networks []model.Network) ([]deploy.Change, error) {
	was, ok := existing.Spec.(swarm.ServiceSpec)
	if !ok {
		return nil, fmt.Errorf("service %q: its spec is not one of this engine's", existing.Name)
	}
	if r.unpinned {
		r.keepImage(was)
	}
	names, byID := make(map[string]string, len(networks)), make(map[string]string, len(networks))
	for _, n := range networks {
		if n.Scope == "swarm" {
			names[n.Name], byID[n.ID] = n.ID, n.Name
		}
	}
	nameOf := func(id string) string { return cmp.Or(byID[id], id) }
	want := &r.spec
	var changes []deploy.Change
	for _, p := range parts() {
		a, b := p.value(&was, names), p.value(want, names)
		if same(a, b) {
			p.take(want, &was)
			continue
		}
		for _, c := range p.words(a, b, nameOf) {
			c.Restarts = p.restarts
			changes = append(changes, c)
		}
	}
	want.TaskTemplate.ForceUpdate = was.TaskTemplate.ForceUpdate
	want.TaskTemplate.Runtime = was.TaskTemplate.Runtime
	return changes, nil
}

// keepImage leaves the service on its digest when the registry could not be
// asked for the present one and the tag is the same.
func (r *ServiceRequest) keepImage(was swarm.ServiceSpec) {
	c, w := r.spec.TaskTemplate.ContainerSpec, was.TaskTemplate.ContainerSpec
	if c == nil || w == nil || withoutDigest(c.Image) != withoutDigest(w.Image) {
		return
	}
	c.Image = w.Image
	if p := was.TaskTemplate.Placement; p != nil {
		placementOf(&r.spec).Platforms = p.Platforms
	}
}

// part is one comparable part of a service spec.
type part struct {
	words partWords
	// restarts tells whether a change of it replaces tasks.
	restarts bool
	// value returns the part's normal form. names holds network IDs by name.
	value func(s *swarm.ServiceSpec, names map[string]string) any
	// take copies the part from one spec to another, word for word.
	take func(to, from *swarm.ServiceSpec)
}

// parts lists the whole of a service spec. The fields of the container are
// found by reflection, so that none can be forgotten.
func parts() []part { return slices.Concat(containerParts(), serviceParts(), taskParts()) }

// serviceParts are the parts that steer tasks without being in them, except
// for the endpoint: a task remembers its own.
func serviceParts() []part {
	return []part{
		{
			words: labelWords("label"),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return s.Labels },
			take:  func(to, from *swarm.ServiceSpec) { to.Labels = from.Labels },
		},
		{
			words: whole("mode"),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { m, _, _ := modeOf(s.Mode); return string(m) },
			take:  func(_, _ *swarm.ServiceSpec) {},
		},
		{
			words: whole("replicas"),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { _, n, _ := modeOf(s.Mode); return n },
			take:  func(_, _ *swarm.ServiceSpec) {},
		},
		{
			words: whole("max-concurrent"),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { _, _, n := modeOf(s.Mode); return n },
			take:  func(_, _ *swarm.ServiceSpec) {},
		},
		{
			words: leafWords(flagWith("update")),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalUpdate(s.UpdateConfig) },
			take:  func(to, from *swarm.ServiceSpec) { to.UpdateConfig = from.UpdateConfig },
		},
		{
			words: leafWords(flagWith("rollback")),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalUpdate(s.RollbackConfig) },
			take:  func(to, from *swarm.ServiceSpec) { to.RollbackConfig = from.RollbackConfig },
		},
		{
			words: whole("endpoint-mode"), restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalEndpoint(s.EndpointSpec).Mode },
			take:  func(_, _ *swarm.ServiceSpec) {},
		},
		{
			words: portWords, restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalEndpoint(s.EndpointSpec).Ports },
			take:  takePorts,
		},
	}
}

// taskParts are the parts of a task beside its container.
func taskParts() []part {
	return []part{
		{
			words: networkWords, restarts: true,
			value: func(s *swarm.ServiceSpec, names map[string]string) any { return normalNetworks(s, names) },
			take: func(to, from *swarm.ServiceSpec) {
				to.TaskTemplate.Networks, to.Networks = from.TaskTemplate.Networks, from.Networks //nolint:staticcheck // kept where a service has it
			},
		},
		{
			words: leafWords(flagOfTask), restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalResources(s.TaskTemplate.Resources) },
			take:  func(to, from *swarm.ServiceSpec) { to.TaskTemplate.Resources = from.TaskTemplate.Resources },
		},
		{
			words: leafWords(flagWith("restart")), restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any {
				return normalRestart(s.TaskTemplate.RestartPolicy)
			},
			take: func(to, from *swarm.ServiceSpec) { to.TaskTemplate.RestartPolicy = from.TaskTemplate.RestartPolicy },
		},
		{
			// Tasks stay where the new constraints suit their node.
			words: leafWords(flagOfTask),
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return normalPlacement(s.TaskTemplate.Placement) },
			take:  func(to, from *swarm.ServiceSpec) { to.TaskTemplate.Placement = from.TaskTemplate.Placement },
		},
		{
			words: hidden("log-driver"), restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any { return s.TaskTemplate.LogDriver },
			take:  func(to, from *swarm.ServiceSpec) { to.TaskTemplate.LogDriver = from.TaskTemplate.LogDriver },
		},
	}
}

// takePorts takes over the whole endpoint where the modes agree too.
func takePorts(to, from *swarm.ServiceSpec) {
	if normalEndpoint(to.EndpointSpec).Mode == normalEndpoint(from.EndpointSpec).Mode {
		to.EndpointSpec = from.EndpointSpec
	}
}

// flagOf names fields of a container as docker's flags do, where the field's
// own name differs.
func flagOf(field string) string {
	names := map[string]string{
		"Command": "entrypoint", "Dir": "workdir", "Groups": "group", "Privileges": "credential-spec", "StopSignal": "stop-signal",
		"OpenStdin": "stdin", "ReadOnly": "read-only", "Mounts": "mount", "StopGracePeriod": "stop-grace-period", "Healthcheck": "health",
		"Hosts": "host", "DNSConfig": "dns", "Secrets": "secret", "Configs": "config", "Sysctls": "sysctl", "CapabilityAdd": "cap-add",
		"CapabilityDrop": "cap-drop", "Ulimits": "ulimit", "OomScoreAdj": "oom-score-adj", "Labels": "container-label",
	}
	if name, ok := names[field]; ok {
		return name
	}
	return strings.ToLower(field)
}

func containerParts() []part {
	typ := reflect.TypeOf(swarm.ContainerSpec{})
	out := make([]part, 0, typ.NumField())
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		words := hidden(flagOf(name))
		switch name {
		case "Image":
			words = whole(flagOf(name))
		case "Env":
			words = envWords
		case "Labels":
			words = labelWords(flagOf(name))
		}
		out = append(out, part{
			words: words, restarts: true,
			value: func(s *swarm.ServiceSpec, _ map[string]string) any {
				c := normalContainer(s.TaskTemplate.ContainerSpec)
				return reflect.ValueOf(c).Field(i).Interface()
			},
			take: func(to, from *swarm.ServiceSpec) {
				if t, f := to.TaskTemplate.ContainerSpec, from.TaskTemplate.ContainerSpec; t != nil && f != nil {
					reflect.ValueOf(t).Elem().Field(i).Set(reflect.ValueOf(f).Elem().Field(i))
				}
			},
		})
	}
	return out
}

// same compares two normal forms by what they say on the wire, without what is
// empty there.
func same(a, b any) bool { return reflect.DeepEqual(wire(a), wire(b)) }

func wire(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		return v
	}
	return pruned(out)
}

// pruned drops every value that says nothing: null, "", 0, false, and lists
// and objects without content. A zero that does say something has been given
// its meaning by the normal form before.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if e = pruned(e); e != nil {
				out[k] = e
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = pruned(e)
		}
		return out
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

func word(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case uint64:
		return strconv.FormatUint(v, 10)
	default:
		return fmt.Sprint(v)
	}
}
