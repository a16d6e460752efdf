package commands

import (
	"context"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// detached takes the services off the networks that are to be removed, where
// that was asked for, and returns those that may go now.
func (o rmOptions) detached(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, e *engine.Engine) (refs []string, failed []error) {
	if !o.forceDetach {
		return o.refs, nil
	}
	for _, ref := range o.refs {
		if err := o.detachAll(ctx, cmd, dockerCLI, e, ref); err != nil {
			failed = append(failed, err)
			continue
		}
		refs = append(refs, ref)
	}
	return refs, failed
}

// detachAll takes every service off a network that is to be removed, after
// asking. Where somebody holds it whom detaching does not free, nothing
// restarts in vain; the removal names them.
func (o rmOptions) detachAll(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, e *engine.Engine, ref string) error {
	s, err := engine.LookWhole(ctx, e) // what was detached before has changed it
	if err != nil {
		return err
	}
	found := s.FindNetworks(ref)
	if len(found) != 1 || !found[0].Overlay() || found[0].Ingress {
		return nil // the removal says what is the matter
	}
	var services []string
	for _, h := range members.RemovalOf(s, found[0]).Holders {
		if h.Member.Kind != members.Service {
			return nil
		}
		services = append(services, h.Member.ID)
	}
	wishes, err := rewire.Wishes(s, services, rewire.Change{Off: &found[0]})
	if err != nil {
		return err
	}
	plan, err := rewire.Decide(s, wishes)
	if err != nil {
		return err
	}
	if err := agree(ctx, dockerCLI, o.confirmOption, plan); err != nil {
		return err
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	return rewiring(e, cmd, o.timeout).Services(ctx, e, wishes, sink)
}
