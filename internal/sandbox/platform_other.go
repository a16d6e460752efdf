//go:build !linux

package sandbox

import (
	"errors"
	"runtime"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

var errLocked = errors.New("locked")

// supported says why there are no sandboxes on this operating system.
func supported() error {
	return problem.New("a sandbox is made of namespaces of the Linux kernel; this is %s", runtime.GOOS).
		WithNext("Use a Linux machine, or any swarm you have a docker context for.")
}

func lockDir(string, bool) (func(), error) { return nil, supported() }

func newNamespaces(event.Sink) (driver, error) { return nil, supported() }

// RunNode is what a node's first process does; there are none here.
func RunNode(string) error { return supported() }
