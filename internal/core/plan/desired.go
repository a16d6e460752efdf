package plan

import (
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Object is a secret or a config.
type Object struct {
	// ID and Version are of one that is there; "" and 0 of one that is wanted.
	ID      string
	Version uint64
	Name    string
	Labels  map[string]string
	// Content is equal for equal contents, and "" where the swarm does not show
	// it (secrets). It is made for comparing and stays in the process: from a
	// digest a short secret could be guessed.
	Content string
	// Driver provides the content and Template renders it; mostly "".
	Driver, Template string
}

// Observed is what is there, from one look.
type Observed struct {
	*swarm.Snapshot
	// Secrets and Configs are all of the swarm's. They are not read, and nil,
	// when neither the file nor the removal of what it lacks needs them.
	Secrets, Configs []Object
}

// Desired is a stack as its file asks for it. All names have the stack's name
// in front where docker puts it.
type Desired struct {
	Stack    string
	Networks []NetworkWish
	Secrets  []Object
	Configs  []Object
	Services []ServiceWish
	// Unresolved are images that no registry has told a digest of.
	Unresolved []string
	// Prune removes what the swarm has of the stack and the file has not.
	Prune bool
}

// NetworkWish is a network of the stack.
type NetworkWish struct {
	Spec swarm.NetworkSpec
	// Driver is the network's driver, "overlay" where the file does not say.
	Driver string
}

// ServiceWish is a service of the stack.
type ServiceWish struct {
	deploy.Wish
	// Changes is what it changes about the service that exists.
	Changes []deploy.Change
	// Secrets, Configs and DependsOn are names of what it needs first.
	Secrets, Configs, DependsOn []string
}
