package umlguest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
)

// Verbs of the guest, hidden words after "docker-swarmnet sandbox". They are
// looked for before anything else of the plugin runs, because in the guest
// there is neither a docker CLI that calls it nor a Docker configuration.
const (
	verbGroup = "sandbox"
	verbInit  = "uml-guest-init"
	verbAgent = "uml-guest-agent"
	verbNode  = "uml-guest-node"
)

// ConfigEnv is the variable that carries the Config into the guest. The kernel
// hands every NAME=value of its command line that it does not know itself to
// process 1 as environment; a name with a dot would be a module's parameter.
const ConfigEnv = "SWARMNET_GUEST"

// AgentPort is the TCP port of the agent, on the address of the switch.
const AgentPort = 2374

// Config is what the guest has to know at its start. Paths are those of the
// machine outside, as the kernel process sees them.
type Config struct {
	// Switch is the guest's own address on the network of the nodes, with the
	// length of that network's prefix.
	Switch netip.Prefix
	// Root is the root file system that the guest runs from, read-only
	// beneath a layer in memory.
	Root string
	// Modules is the folder of the kernel's modules, with its modules.dep.
	Modules string
	// Logs is the folder that the engines' logs are written to.
	Logs string
}

// Encode returns the configuration as one word for the kernel's command line,
// which knows neither quotes within a word nor blanks.
func (c Config) Encode() (string, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// DecodeConfig reads what Encode wrote.
func DecodeConfig(word string) (Config, error) {
	var c Config
	data, err := base64.RawURLEncoding.DecodeString(word)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return Config{}, fmt.Errorf("configuration of the guest in %s: %w", ConfigEnv, err)
	}
	return c, nil
}

// InitArgs are the words after "--" on the kernel's command line, which become
// the arguments of process 1.
func InitArgs() []string { return []string{verbGroup, verbInit} }

// Node is one node of the sandbox, as the agent is told.
type Node struct {
	// Name tells the node from the others of the guest.
	Name string
	// Hostname is what it calls itself.
	Hostname string
	// Address is the node's address with the length of the network's prefix.
	Address netip.Prefix
	// Cut leaves the node's cable out.
	Cut bool
}

// Status is what the agent knows about a node.
type Status struct {
	// Running tells whether the engine's process is there.
	Running bool
}

// The actions on a node, last word of the agent's paths.
const (
	actionStop = "stop"
	actionCut  = "cut"
	actionHeal = "heal"
)
