package engine

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/crypto/scrypt"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
)

// Cost of a digest: some 5 ms, so that a value that somebody would like to find
// by trying (an environment variable of a service) costs as much a try.
const (
	digestCost  = 1 << 11
	digestBlock = 8
	digestSize  = 16
)

// Digests returns a salted digest of all that the request asks for, object by
// object, images as they have been resolved. The content of secrets is left
// out: no digest of it leaves the process. It comes after Desired.
func (r *StackRequest) Digests(salt []byte) (map[plan.Resource]string, error) {
	wanted := map[plan.Resource]any{}
	for name, n := range r.networks {
		wanted[plan.Resource{Kind: plan.Network, Name: name}] = n
	}
	for name, s := range r.secrets {
		s.Data = nil
		wanted[plan.Resource{Kind: plan.Secret, Name: name}] = s
	}
	for name, c := range r.configs {
		wanted[plan.Resource{Kind: plan.Config, Name: name}] = c
	}
	for name, s := range r.services {
		wanted[plan.Resource{Kind: plan.Service, Name: name}] = s.spec
	}
	keys := slices.Collect(maps.Keys(wanted))
	sums := make([]string, len(keys))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, res := range keys {
		g.Go(func() error {
			raw, err := json.Marshal(wanted[res])
			if err != nil {
				return err
			}
			sum, err := scrypt.Key(raw, salt, digestCost, digestBlock, 1, digestSize)
			sums[i] = hex.EncodeToString(sum)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(map[plan.Resource]string, len(keys))
	for i, res := range keys {
		out[res] = sums[i]
	}
	return out, nil
}
