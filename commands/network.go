package commands

import (
	"fmt"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// oneNetwork returns the swarm network that the user means by a name or ID.
func oneNetwork(s *swarm.Snapshot, ref string) (swarm.Network, error) {
	n, err := anyNetwork(s, ref)
	if err != nil {
		return n, err
	}
	if !n.Overlay() {
		return n, problem.New("network %q of context %q is not an overlay network of the swarm (driver %s, scope %s)", text.Clean(n.Name), s.Context, text.Clean(n.Driver), text.Clean(n.Scope)).
			WithNext("Run 'docker -c %s network inspect %s' to see it.", s.Context, text.Clean(n.Name))
	}
	return n, nil
}

// anyNetwork returns the network, local ones included. A swarm network wins
// over a local one of the same name, which Docker would call ambiguous: here
// only the swarm's can be meant.
func anyNetwork(s *swarm.Snapshot, ref string) (swarm.Network, error) {
	found := s.FindNetworks(ref)
	if len(found) > 1 {
		var overlays []swarm.Network
		for _, n := range found {
			if n.Overlay() {
				overlays = append(overlays, n)
			}
		}
		if len(overlays) == 1 {
			found = overlays
		}
	}
	switch len(found) {
	case 0:
		return swarm.Network{}, problem.New("network %q not found in context %q", ref, s.Context).
			WithNext("Run 'docker -c %s swarmnet ls' to see the networks there are.", s.Context)
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, n := range found {
		ids[i] = fmt.Sprintf("%s (%s, scope %s)", n.ID, text.Clean(n.Name), text.Clean(n.Scope))
	}
	return swarm.Network{}, problem.New("%q means %d networks in context %q:\n  %s", ref, len(found), s.Context, strings.Join(ids, "\n  ")).
		WithNext("Use the whole ID of one.")
}
