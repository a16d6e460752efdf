package engine

import (
	"context"

	"github.com/docker/docker/api/types/versions"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Version reads what the engine tells of itself, in one call.
func (e *Engine) Version(ctx context.Context) (model.Engine, error) {
	v, err := e.api.ServerVersion(ctx)
	if err != nil {
		return model.Engine{}, e.Explain(err)
	}
	return model.Engine{
		Version: v.Version, APIVersion: e.api.ClientVersion(), OS: v.Os, KernelVersion: v.KernelVersion,
	}, nil
}

// OlderAPI tells whether API version a is older than b.
func OlderAPI(a, b string) bool { return versions.LessThan(a, b) }
