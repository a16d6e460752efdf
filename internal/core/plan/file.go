package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// FileFormat is the version of File.
const FileFormat = 1

// File is a plan that was decided on once and is to be carried out later, by
// somebody who reads the Compose file again. It holds no value of the stack:
// what was read of the swarm by ID and version, and a salted digest of each
// object that is asked for. Secrets are pinned by name and version, and not by
// content.
type File struct {
	Format  int
	Stack   string
	Context string // where it was planned, for people
	Cluster string // ID of the swarm
	Salt    []byte
	Pins    []Pin
	// Steps are the plan in words, for people.
	Steps []string
}

// Pin is one object as the plan saw and wants it.
type Pin struct {
	Resource
	// ID and Version are those of the object that was there; "" and 0 where
	// there was none.
	ID      string `json:",omitempty"`
	Version uint64 `json:",omitempty"`
	// Digest is of what is asked for; "" for what the file does not have.
	Digest string `json:",omitempty"`
}

// Pinned pins all that the plan rests on: objects of the stack, those that are
// to be created under a name that is free now, and those of others that its
// services use.
func Pinned(p Plan, d Desired, o *Observed, digests map[Resource]string) []Pin {
	pins := map[Resource]Pin{}
	for _, s := range p.Steps {
		pins[s.Resource] = Pin{Resource: s.Resource, ID: s.ID, Version: s.Version, Digest: digests[s.Resource]}
	}
	used := func(res Resource, id string, version uint64) {
		if _, own := pins[res]; !own {
			pins[res] = Pin{Resource: res, ID: id, Version: version}
		}
	}
	for _, w := range d.Services {
		for _, n := range o.Networks {
			if n.Scope == "swarm" && w.Service.Wants(n) {
				used(Resource{Network, n.Name}, n.ID, n.Version)
			}
		}
		for _, list := range []struct {
			kind    Kind
			names   []string
			objects []Object
		}{{Secret, w.Secrets, o.Secrets}, {Config, w.Configs, o.Configs}} {
			for _, obj := range list.objects {
				if slices.Contains(list.names, obj.Name) {
					used(Resource{list.kind, obj.Name}, obj.ID, obj.Version)
				}
			}
		}
	}
	out := make([]Pin, 0, len(pins))
	for _, p := range pins {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Pin) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return out
}

// Moved lists what has moved on since the file was written, object by object:
// in the swarm, or in what is asked for. now are pins with the file's own salt.
func (f File) Moved(stack, cluster string, now []Pin) []string {
	switch {
	case f.Format != FileFormat:
		return []string{fmt.Sprintf("the plan is of format %d, and this version of docker swarmnet reads %d", f.Format, FileFormat)}
	case f.Cluster != cluster:
		return []string{fmt.Sprintf("the plan is for another swarm (%s, planned through context %q)", f.Cluster, f.Context)}
	case f.Stack != stack:
		return []string{fmt.Sprintf("the plan is for stack %q", f.Stack)}
	}
	was := map[Resource]Pin{}
	for _, p := range f.Pins {
		was[p.Resource] = p
	}
	var found []string
	for _, p := range now {
		before, ok := was[p.Resource]
		delete(was, p.Resource)
		if what := before.moved(p, ok); what != "" {
			found = append(found, p.String()+" "+what)
		}
	}
	for res := range was {
		found = append(found, res.String()+" is no longer part of the plan")
	}
	slices.Sort(found)
	return found
}

func (p Pin) moved(now Pin, planned bool) string {
	switch {
	case !planned:
		return "was not part of the plan"
	case p.ID == "" && now.ID != "":
		return "has been created since"
	case p.ID != "" && now.ID == "":
		return "has been removed since"
	case p.ID != now.ID:
		return "has been removed and created again since"
	case p.Version != now.Version:
		return fmt.Sprintf("has been changed in the swarm since (version %d, planned on %d)", now.Version, p.Version)
	case p.Digest != now.Digest:
		return "is asked for in another way than planned (the Compose file, a variable of it or the image's digest has changed)"
	}
	return ""
}
