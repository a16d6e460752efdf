package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/go-units"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
)

// Words of a part are what differs in it, as docker's flags name it, for people.
// nameOf gives a network's name for its ID.
type partWords func(a, b any, nameOf func(id string) string) []deploy.Change

// whole shows the two values of a part.
func whole(name string) partWords {
	return func(a, b any, _ func(string) string) []deploy.Change {
		return []deploy.Change{{Field: name, From: word(a), To: word(b)}}
	}
}

// hidden says only that a part differs: it may be long, or hold a password.
func hidden(name string) partWords {
	return func(any, any, func(string) string) []deploy.Change { return []deploy.Change{{Field: name}} }
}

// labelWords shows the labels that differ.
func labelWords(name string) partWords {
	return func(a, b any, _ func(string) string) []deploy.Change {
		from, _ := a.(map[string]string)
		to, _ := b.(map[string]string)
		return differing(from, to, func(key string) string { return name + " " + key })
	}
}

// envWords names the variables that differ, without their values.
func envWords(a, b any, _ func(string) string) []deploy.Change {
	var out []deploy.Change
	for _, c := range differing(byName(a), byName(b), func(key string) string { return "env " + key }) {
		out = append(out, deploy.Change{Field: c.Field})
	}
	if len(out) == 0 { // only the order of one given twice
		return []deploy.Change{{Field: "env"}}
	}
	return out
}

func byName(env any) map[string]string {
	list, _ := env.([]string)
	out := map[string]string{}
	for _, e := range list {
		name, _, _ := strings.Cut(e, "=")
		out[name] += e + "\x00" // all of one given twice
	}
	return out
}

// differing makes a change of each key whose values differ.
func differing(from, to map[string]string, field func(key string) string) []deploy.Change {
	keys := map[string]bool{}
	for _, m := range []map[string]string{from, to} {
		for k := range m {
			keys[k] = true
		}
	}
	var out []deploy.Change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		a, had := from[k]
		b, has := to[k]
		if had == has && a == b {
			continue
		}
		out = append(out, deploy.Change{Field: field(k), From: quotedEmpty(a, had), To: quotedEmpty(b, has)})
	}
	return out
}

// quotedEmpty tells an empty value from none.
func quotedEmpty(v string, there bool) string {
	if there && v == "" {
		return `""`
	}
	return v
}

// portWords shows the published ports that come and go.
func portWords(a, b any, _ func(string) string) []deploy.Change {
	from, _ := a.([]swarm.PortConfig)
	to, _ := b.([]swarm.PortConfig)
	return onlyHere("publish", from, to, func(p swarm.PortConfig) string {
		w := fmt.Sprintf("%d/%s", p.TargetPort, p.Protocol)
		if p.PublishedPort != 0 {
			w = fmt.Sprintf("%d:%s", p.PublishedPort, w)
		}
		if p.PublishMode == swarm.PortConfigPublishModeHost {
			w += " (host)"
		}
		return w
	})
}

// networkWords shows the networks, with their aliases, that come and go.
func networkWords(a, b any, nameOf func(string) string) []deploy.Change {
	from, _ := a.([]swarm.NetworkAttachmentConfig)
	to, _ := b.([]swarm.NetworkAttachmentConfig)
	return onlyHere("network", from, to, func(n swarm.NetworkAttachmentConfig) string {
		w := nameOf(n.Target)
		if len(n.Aliases) > 0 {
			w += " as " + strings.Join(n.Aliases, " ")
		}
		for _, k := range slices.Sorted(maps.Keys(n.DriverOpts)) {
			w += " " + k + "=" + n.DriverOpts[k]
		}
		return w
	})
}

// onlyHere shows what one of two lists has and the other has not.
func onlyHere[T any](field string, from, to []T, words func(T) string) []deploy.Change {
	list := func(of, without []T) string {
		var others, out []string
		for _, o := range without {
			others = append(others, words(o))
		}
		for _, o := range of {
			if w := words(o); !slices.Contains(others, w) {
				out = append(out, w)
			}
		}
		return strings.Join(out, ", ")
	}
	return []deploy.Change{{Field: field, From: list(from, to), To: list(to, from)}}
}

// leafWords shows every value that differs somewhere in a part.
func leafWords(flag func(path string) string) partWords {
	return func(a, b any, _ func(string) string) []deploy.Change {
		from, to := map[string]string{}, map[string]string{}
		leaves(wire(a), "", from)
		leaves(wire(b), "", to)
		return differing(from, to, flag)
	}
}

// leaves writes the values of an object by their path.
func leaves(v any, path string, out map[string]string) {
	if object, ok := v.(map[string]any); ok {
		for k, e := range object {
			leaves(e, strings.TrimPrefix(path+"."+k, "."), out)
		}
		return
	}
	if v != nil {
		out[path] = leaf(path, v)
	}
}

// leaf is one value, in the unit in which docker's flags take it.
func leaf(path string, v any) string {
	switch v := v.(type) {
	case float64:
		switch name := path[strings.LastIndexByte(path, '.')+1:]; name {
		case "NanoCPUs":
			v /= 1e9
		case "MemoryBytes":
			return units.BytesSize(v)
		case "Delay", "Monitor":
			return time.Duration(v).String()
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, leaf(path, e))
		}
		return strings.Join(out, ", ")
	case string:
		return v
	case map[string]any:
		if arch, ok := v["Architecture"]; ok { // a platform
			return fmt.Sprintf("%v/%v", v["OS"], arch)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(raw)
	default:
		return fmt.Sprint(v)
	}
}

// flagWith is docker's flag for a field of what has one flag for each field.
func flagWith(prefix string) func(string) string {
	return func(path string) string {
		var b strings.Builder
		for _, r := range path {
			if r >= 'A' && r <= 'Z' {
				b.WriteByte('-')
			}
			b.WriteRune(r)
		}
		return prefix + strings.ToLower(b.String())
	}
}

// flagOfTask is docker's flag for resources and placement.
func flagOfTask(path string) string {
	flags := map[string]string{
		"Limits.NanoCPUs": "limit-cpu", "Limits.MemoryBytes": "limit-memory", "Limits.Pids": "limit-pids",
		"Reservations.NanoCPUs": "reserve-cpu", "Reservations.MemoryBytes": "reserve-memory", "Reservations.GenericResources": "generic-resource",
		"Constraints": "constraint", "Preferences": "placement-pref", "MaxReplicas": "replicas-max-per-node", "Platforms": "platform",
	}
	if f, ok := flags[path]; ok {
		return f
	}
	return strings.ToLower(path)
}
