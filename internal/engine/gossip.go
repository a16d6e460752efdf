package engine

import (
	"context"
	"encoding/json"

	"golang.org/x/sync/errgroup"
)

// Gossip returns, by service name, the addresses of tasks on networks as the
// engine knows them from other nodes, by network ID. A network that the engine
// has no task on, and so no gossip of, is left out (moby daemon/network.go:
// such a network is answered from the store, without peers).
func (e *Engine) Gossip(ctx context.Context, ids []string) (map[string]map[string][]string, error) {
	raws := make([][]byte, len(ids))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxParallel)
	for i, id := range ids {
		g.Go(func() (err error) {
			raws[i], err = e.InspectNetwork(gctx, id, true)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := map[string]map[string][]string{}
	for i, raw := range raws {
		var n struct {
			Peers    []struct{ IP string }
			Services map[string]struct {
				Tasks []struct{ EndpointIP string }
			}
		}
		if err := json.Unmarshal(raw, &n); err != nil {
			return nil, err
		}
		if len(n.Peers) == 0 {
			continue
		}
		out[ids[i]] = map[string][]string{}
		for name, sv := range n.Services {
			for _, t := range sv.Tasks {
				out[ids[i]][name] = append(out[ids[i]][name], t.EndpointIP)
			}
		}
	}
	return out, nil
}
