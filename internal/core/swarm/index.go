package swarm

import (
	"cmp"
	"slices"
	"strings"
)

// NetworkByID returns the network with a full ID.
func (s *Snapshot) NetworkByID(id string) (Network, bool) {
	for _, n := range s.Networks {
		if n.ID == id {
			return n, true
		}
	}
	return Network{}, false
}

// FindNetworks returns the networks that a user means by ref, as Docker reads
// it: a full ID wins, then a name (Docker compares names of one swarm without
// regard to case, so an exact match wins over others), then a prefix of an
// ID. More than one means that ref is ambiguous.
func (s *Snapshot) FindNetworks(ref string) []Network {
	if n, ok := s.NetworkByID(ref); ok {
		return []Network{n}
	}
	for _, match := range []func(Network) bool{
		func(n Network) bool { return n.Name == ref },
		func(n Network) bool { return strings.EqualFold(n.Name, ref) },
		func(n Network) bool { return ref != "" && strings.HasPrefix(n.ID, ref) },
	} {
		var found []Network
		for _, n := range s.Networks {
			if match(n) {
				found = append(found, n)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// Ingress returns the network of the routing mesh.
func (s *Snapshot) Ingress() (Network, bool) {
	for _, n := range s.Networks {
		if n.Ingress {
			return n, true
		}
	}
	return Network{}, false
}

// ServiceByID returns the service with a full ID.
func (s *Snapshot) ServiceByID(id string) (Service, bool) {
	for _, sv := range s.Services {
		if sv.ID == id {
			return sv, true
		}
	}
	return Service{}, false
}

// ServiceByName returns the service with an exact name.
func (s *Snapshot) ServiceByName(name string) (Service, bool) {
	for _, sv := range s.Services {
		if sv.Name == name {
			return sv, true
		}
	}
	return Service{}, false
}

// FindServices returns the services that a user means by ref, as Docker reads
// it: a full ID wins, then a name, then a prefix of an ID. More than one means
// that ref is ambiguous.
func (s *Snapshot) FindServices(ref string) []Service {
	if sv, ok := s.ServiceByID(ref); ok {
		return []Service{sv}
	}
	if sv, ok := s.ServiceByName(ref); ok {
		return []Service{sv}
	}
	var found []Service
	for _, sv := range s.Services {
		if ref != "" && strings.HasPrefix(sv.ID, ref) {
			found = append(found, sv)
		}
	}
	return found
}

// NodeByID returns the node with a full ID.
func (s *Snapshot) NodeByID(id string) (Node, bool) {
	for _, n := range s.Nodes {
		if n.ID == id {
			return n, true
		}
	}
	return Node{}, false
}

// NodeName returns what people call a node: its host name, else its ID.
func (s *Snapshot) NodeName(id string) string {
	if n, ok := s.NodeByID(id); ok && n.Hostname != "" {
		return n.Hostname
	}
	return id
}

// NodeArg returns what docker takes for a node: its name, or its ID where several
// nodes have that name, as a machine that has joined again and what was left of
// it do. Docker refuses a name that is ambiguous.
func (s *Snapshot) NodeArg(id string) string {
	name := s.NodeName(id)
	for _, n := range s.Nodes {
		if n.ID != id && n.Hostname == name {
			return id
		}
	}
	return name
}

// UnreadErr returns the error that kept a part of the swarm from being read,
// nil when it was read.
func (s *Snapshot) UnreadErr(what string) error {
	for _, u := range s.Unread {
		if u.What == what {
			return u.Err
		}
	}
	return nil
}

// Wants tells whether a service asks to be on the network. What docker writes
// into a spec is the network's ID; an API client may have written its name.
func (sv Service) Wants(n Network) bool {
	for _, a := range sv.Networks {
		if a.Target == n.ID || a.Target == n.Name {
			return true
		}
	}
	return n.Ingress && sv.NeedsIngress()
}

// NeedsIngress tells whether the service publishes a port in the routing mesh.
func (sv Service) NeedsIngress() bool {
	for _, p := range sv.Ports {
		if p.Mode == "ingress" {
			return true
		}
	}
	return false
}

// On returns the task's addresses on a network.
func (t Task) On(networkID string) (TaskNetwork, bool) { return on(t.Networks, networkID) }

// On returns the attachment's addresses on a network.
func (a Attachment) On(networkID string) (TaskNetwork, bool) { return on(a.Networks, networkID) }

func on(nets []TaskNetwork, id string) (TaskNetwork, bool) {
	for _, n := range nets {
		if n.NetworkID == id {
			return n, true
		}
	}
	return TaskNetwork{}, false
}

// LiveTasks counts the tasks of a service that run on, or are to.
func (s *Snapshot) LiveTasks(serviceID string) int {
	n := 0
	for _, t := range s.Tasks {
		if t.ServiceID == serviceID && t.Live() {
			n++
		}
	}
	return n
}

// TasksOf returns the tasks of a service, oldest slot first and the newest
// task of a slot first.
func (s *Snapshot) TasksOf(serviceID string) []Task {
	var tasks []Task
	for _, t := range s.Tasks {
		if t.ServiceID == serviceID {
			tasks = append(tasks, t)
		}
	}
	slices.SortFunc(tasks, func(a, b Task) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return tasks
}
