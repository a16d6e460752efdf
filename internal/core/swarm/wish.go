package swarm

// NetworkSpec is a network that somebody wants.
type NetworkSpec struct {
	Name       string
	Attachable bool
	Internal   bool
	IPv6       bool
	Ingress    bool
	IPAMDriver string
	IPAMOpts   map[string]string
	Subnets    []Subnet
	Options    map[string]string
	Labels     map[string]string
}
