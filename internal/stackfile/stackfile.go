// Package stackfile reads Compose files as "docker stack deploy" does, through
// docker/cli's own loader and conversion, and returns the objects that the
// command would send to the engine.
//
// Two things are read beyond that: the file's top-level "name", which docker
// refuses, and a file ".env" beside the first file, as docker compose does.
package stackfile

import (
	"io"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// Options say what to read.
type Options struct {
	// Files are merged in their order; "-" is Stdin.
	Files []string
	Stdin io.Reader
	// Stack is the stack's name. Without one it is the file's "name", else
	// what docker compose makes of the directory's name.
	Stack string
	// Environ is the environment ("K=V") for variables in the files.
	Environ []string
	// NoDotenv leaves ".env" beside the first file unread.
	NoDotenv bool
	// NoShortAliases leaves the service's name in the file, by which every stack
	// can be answered for another one's, off networks that are not the stack's own.
	NoShortAliases bool
}

// Stack is a stack as its files ask for it: the objects that docker would send
// to the engine, in the order of their names.
type Stack struct {
	Name string
	// Networks are by the name they have in the swarm.
	Networks map[string]network.CreateOptions
	Secrets  []swarm.SecretSpec
	Configs  []swarm.ConfigSpec
	Services []Service
	// External are networks that services use and the stack does not make.
	External []string
	// Warnings are about keys that are not heeded, docker's own first; for stderr.
	Warnings []string
}

// Service is a service of the stack. References to secrets and configs have the
// object's name in place of the ID, which only the swarm knows.
type Service struct {
	Spec swarm.ServiceSpec
	// DependsOn are the names of services that the file wants started before.
	DependsOn []string
}

// Load reads the files. Its errors are docker's own where docker has one.
func Load(o Options) (*Stack, error) {
	details, err := read(o)
	if err != nil {
		return nil, err
	}
	name, err := o.name(details)
	if err != nil {
		return nil, err
	}
	config, warnings, err := parse(details)
	if err != nil {
		return nil, err
	}
	st, err := convertStack(name, config, o.NoShortAliases)
	if err != nil {
		return nil, err
	}
	st.Warnings = append(warnings, st.Warnings...)
	return st, nil
}

// usage is an error of what was asked for, not of the swarm.
func usage(format string, args ...any) *problem.Error {
	return problem.New(format, args...).WithCode(problem.Usage)
}
