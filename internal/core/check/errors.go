package check

import "strings"

// pattern is an error that nodes give when they reject a task, by what it
// contains, and what it means.
type pattern struct {
	words string
	means string
	fix   string
}

// patterns are the errors known, the more special ones first. The words are
// those of dockerd, compared in lower case.
func patterns() []pattern {
	return []pattern{
		{"pool overlaps with other one", "a local network of the node has addresses in common with the overlay network", "on the node: docker network ls, and remove or move the bridge"},
		{"error creating vxlan interface: file exists", "a VXLAN link of an earlier life is left on the node", "on the node: ip -d link show type vxlan, and restart docker"},
		{"address already in use", "the address is still in use on the node", "restart docker on the node"},
		{"port is already allocated", "a port it publishes is in use on the node", "on the node: ss -lntup, or publish another port"},
		{"failed to bind host port", "a port it publishes is in use on the node", "on the node: ss -lntup, or publish another port"},
		{"host-mode port already in use", "a port it publishes is in use on the node", "on the node: ss -lntup, or publish another port"},
		{"could not find an available, non-overlapping", "the node has no block left for docker_gwbridge or another bridge", "on the node: docker network prune, or set default-address-pools"},
		{"no available ipv4 addresses", "docker_gwbridge on the node has no free address", "on the node: docker network inspect docker_gwbridge"},
		{"could not find plugin", "the node lacks a plugin", "on the node: docker plugin ls"},
		{"bind source path does not exist", "a path it mounts does not exist on the node", "make the path on the node, or use a volume"},
		{"subnet sandbox join failed", "the node cannot set the network up", "on the node: look at the log of docker"},
		{"executable file not found", "the image has no such command", "give the service another command"},
		{"oci runtime", "the container cannot be started", "mend the command of the service"},
	}
}

// meaning returns what an error of a node means; ok is false for one that is
// not known.
func meaning(err string) (p pattern, ok bool) {
	err = strings.ToLower(err)
	if strings.Contains(err, "network") && strings.Contains(err, "not found") {
		return pattern{means: "its network is not there any more", fix: "deploy the service again"}, true
	}
	for _, p := range patterns() {
		if strings.Contains(err, p.words) {
			return p, true
		}
	}
	return pattern{}, false
}
