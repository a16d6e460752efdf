package simengine

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/versions"
)

// reporting is the API version from which on engines report how full a network
// is.
const reporting = "1.52"

func (e *Engine) reports() bool { return !versions.LessThan(e.api, reporting) }

// ServeHTTP answers as a manager's engine does.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version, path := e.api, r.URL.Path
	if rest, ok := strings.CutPrefix(path, "/v"); ok && len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
		version, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	e.count(r.Method + " " + path)
	select {
	case <-time.After(e.options.Latency):
	case <-r.Context().Done():
		return
	}
	head := w.Header()
	head.Set("Api-Version", e.api)
	head.Set("Ostype", "linux")
	head.Set("Server", "Docker/"+e.Info.ServerVersion+" (linux)")
	head.Set("Content-Type", "application/json")
	switch {
	case versions.GreaterThan(version, e.api):
		refuse(w, http.StatusBadRequest, fmt.Sprintf("client version %s is too new. Maximum supported API version is %s", version, e.api))
	case path == "/_ping":
		head.Set("Swarm", "active/manager")
		head.Set("Content-Type", "text/plain; charset=utf-8")
		if r.Method != http.MethodHead {
			_, _ = w.Write([]byte("OK"))
		}
	case r.Method != http.MethodGet:
		refuse(w, http.StatusNotImplemented, "a simulated engine changes nothing")
	case path == "/events":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		e.answer(w, r, version, path)
	}
}

func (e *Engine) count(call string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[call]++
}

// answer makes every answer anew, as an engine does: what a client saves by
// asking less shall show.
func (e *Engine) answer(w http.ResponseWriter, r *http.Request, version, path string) {
	args, err := filters.FromJSON(r.FormValue("filters"))
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	found := e.find(version, path, args)
	if found == nil {
		refuse(w, http.StatusNotFound, "page or object not found: "+path)
		return
	}
	_ = json.NewEncoder(w).Encode(found)
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// find returns what is at a path, nil if nothing.
func (e *Engine) find(version, path string, f filters.Args) any {
	kind, ref, one := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	is := func(id, name string) bool { return id == ref || name == ref }
	switch kind {
	case "info":
		return e.Info
	case "version":
		return types.Version{Version: e.Info.ServerVersion, APIVersion: e.api, MinAPIVersion: "1.24", Os: "linux", Arch: "amd64", KernelVersion: e.Info.KernelVersion}
	case "swarm":
		return swarm.Swarm{ClusterInfo: *e.Info.Swarm.Cluster}
	case "nodes":
		if one {
			return first(e.Nodes, func(n *swarm.Node) bool {
				return is(n.ID, n.Description.Hostname) || ref == "self" && n.ID == e.Info.Swarm.NodeID
			})
		}
		return chosen(e.Nodes, func(n *swarm.Node) bool { return matches(f, "id", n.ID) && matches(f, "name", n.Description.Hostname) })
	case "networks":
		if one {
			return e.network(version, is)
		}
		return chosen(e.Networks, func(n *network.Inspect) bool {
			return matches(f, "id", n.ID) && matches(f, "name", n.Name) && matches(f, "scope", n.Scope) && matches(f, "driver", n.Driver)
		})
	case "services":
		if one {
			return first(e.Services, func(s *swarm.Service) bool { return is(s.ID, s.Spec.Name) })
		}
		return chosen(e.Services, func(s *swarm.Service) bool { return matches(f, "id", s.ID) && matches(f, "name", s.Spec.Name) })
	case "tasks":
		if one {
			return first(e.Tasks, func(t *swarm.Task) bool { return is(t.ID, "") })
		}
		return e.tasks(f)
	}
	return nil
}

// tasks lists tasks; those of "docker run" only when they are asked for, as
// moby does (daemon/cluster/filters.go).
func (e *Engine) tasks(f filters.Args) []swarm.Task {
	var services []string
	for _, ref := range f.Get("service") {
		for i := range e.Services {
			if s := &e.Services[i]; s.ID == ref || s.Spec.Name == ref {
				services = append(services, s.ID)
			}
		}
	}
	fits := func(t *swarm.Task) bool {
		return matches(f, "id", t.ID) && matches(f, "node", t.NodeID) && matches(f, "desired-state", string(t.DesiredState)) &&
			(len(f.Get("service")) == 0 || slices.Contains(services, t.ServiceID))
	}
	out := []swarm.Task{}
	if runtimes := f.Get("runtime"); len(runtimes) == 0 || slices.Contains(runtimes, "container") {
		out = chosen(e.Tasks, fits)
	}
	if slices.Contains(f.Get("runtime"), "attachment") {
		out = append(out, chosen(e.Attachments, fits)...)
	}
	return out
}

// reported is a network as engines from API 1.52 on answer when asked for one.
type reported struct {
	network.Inspect
	Status status
}

type status struct{ IPAM ipamStatus }

type ipamStatus struct{ Subnets map[string]subnetStatus }

type subnetStatus struct{ IPsInUse, DynamicIPsAvailable uint64 }

func (e *Engine) network(version string, is func(id, name string) bool) any {
	for _, n := range e.Networks {
		if !is(n.ID, n.Name) {
			continue
		}
		if versions.LessThan(version, reporting) {
			return n
		}
		subnet := n.IPAM.Config[0].Subnet
		var bits int
		_, _ = fmt.Sscanf(subnet[strings.IndexByte(subnet, '/')+1:], "%d", &bits)
		used := uint64(e.inUse[n.ID])
		return reported{n, status{ipamStatus{map[string]subnetStatus{subnet: {IPsInUse: used, DynamicIPsAvailable: 1<<(32-bits) - used}}}}}
	}
	return nil
}

// matches tells whether a filter lets a value through: with no filter of that
// name all, otherwise what contains one of its words, as docker's lists do.
func matches(f filters.Args, key, value string) bool {
	words := f.Get(key)
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(value, w) })
}

func chosen[T any](all []T, is func(*T) bool) []T {
	out := []T{}
	for i := range all {
		if is(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out
}

// first returns the one that is meant, or nil.
func first[T any](all []T, is func(*T) bool) any {
	for i := range all {
		if is(&all[i]) {
			return all[i]
		}
	}
	return nil
}
