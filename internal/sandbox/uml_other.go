//go:build !linux

package sandbox

import "github.com/swarmnet/docker-swarmnet/internal/event"

func newUML(event.Sink) (driver, error) { return nil, supported() }
