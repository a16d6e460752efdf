package commands

import (
	"github.com/spf13/pflag"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// requireSupported refuses the flags that were given and that the engine is
// too old for, or runs the wrong system for: it would ignore them. Docker does
// the same for its own commands only (docker/cli, cmd/docker areFlagsSupported),
// and in the same words.
func requireSupported(s *swarm.Snapshot, flags *pflag.FlagSet) error {
	var found []string
	flags.Visit(func(f *pflag.Flag) {
		if want := annotation(f, "version"); want != "" && engine.OlderAPI(s.Engine.APIVersion, want) {
			found = append(found, `"--`+f.Name+`" requires API version `+want+`, but the Docker daemon API version is `+s.Engine.APIVersion)
		}
		if want := annotation(f, "ostype"); want != "" {
			if is := s.Engine.OS; is != "" && is != want {
				found = append(found, `"--`+f.Name+`" is only supported on a Docker daemon running on `+want+`, but the Docker daemon is running on `+is)
			}
		}
	})
	if len(found) == 0 {
		return nil
	}
	return problem.Join(`context "`+s.Context+`" has an engine that cannot do this`, found)
}

// annotation returns docker's note on a flag, "" when there is none.
func annotation(f *pflag.Flag, name string) string {
	if values := f.Annotations[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
