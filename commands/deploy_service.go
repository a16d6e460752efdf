package commands

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/display"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// plannedService is a service that may be deployed in a swarm.
type plannedService struct {
	engine  *engine.Engine
	request *engine.ServiceRequest
	// existing is the service as it is; nil when it is to be created.
	existing *swarm.Service
	changes  []deploy.Change
	// warning is what there is to say of its image; may be empty.
	warning string
}

func runDeployService(cmd *cobra.Command, dockerCLI command.Cli, o deployOptions, w wavesOption, docker dockerFlags, args []string) error {
	ctx := cmd.Context()
	if err := o.validate(cmd); err != nil {
		return err
	}
	detach, err := cmd.Flags().GetBool("detach")
	if err != nil {
		return err
	}
	if quiet, err := cmd.Flags().GetBool("quiet"); err == nil && quiet {
		o.mode = display.Quiet
	}
	names, err := w.chosen(cmd, dockerCLI)
	if err != nil {
		return err
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	deployment := func(p *plannedService) apply.ServiceDeployment {
		return apply.ServiceDeployment{
			Context: p.engine.Context(), Request: p.request, Before: p.existing, Unchanged: p.existing != nil && len(p.changes) == 0,
			Detach: detach, Leave: o.onFailure == "leave", Timeout: o.timeout, Log: p.engine.TaskLog,
		}
	}
	if len(names) == 0 {
		p, err := planServiceHere(cmd, dockerCLI, docker, args)
		if err != nil {
			return err
		}
		p.tell(sink)
		id, err := apply.DeployService(ctx, p.engine, deployment(p), sink)
		if err != nil {
			return err
		}
		done() // what is printed now must not land among progress
		_, _ = fmt.Fprintln(dockerCLI.Out(), id)
		return nil
	}
	planned, err := planServiceEach(cmd, dockerCLI, names, docker, args)
	if err != nil {
		return err
	}
	var sites []apply.ServiceSite
	for _, p := range planned {
		p.tell(event.In(p.engine.Context(), sink))
		sites = append(sites, apply.ServiceSite{ServiceDeployment: deployment(p), Engine: p.engine})
	}
	ids, err := apply.DeployServiceEach(ctx, sites, w.first(), sink)
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	return writeDeployed(dockerCLI, planned, ids)
}

// planServiceHere plans the service for the context that Docker chose. The
// snapshot and what docker would create are found out side by side: neither
// needs the other.
func planServiceHere(cmd *cobra.Command, dockerCLI command.Cli, docker dockerFlags, args []string) (*plannedService, error) {
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return nil, err
	}
	var s *swarm.Snapshot
	var request *engine.ServiceRequest
	var lookErr, recordErr error
	var g errgroup.Group
	g.Go(func() error { s, lookErr = e.Look(cmd.Context()); return nil })
	g.Go(func() error { request, recordErr = docker.record(cmd, dockerCLI, e, args); return nil })
	_ = g.Wait()
	if lookErr != nil {
		return nil, lookErr
	}
	// That the engine is a worker says more than what recording met there.
	if err := engine.RequireManager(s); err != nil {
		return nil, err
	}
	if err := requireSupported(s, cmd.Flags()); err != nil {
		return nil, err
	}
	if recordErr != nil {
		return nil, recordErr
	}
	if err := engine.RequireWhole(s); err != nil {
		return nil, err
	}
	return planService(cmd.Context(), e, s, request)
}

// planService decides what deploying means in a swarm. What stands in the way
// is the error.
func planService(ctx context.Context, e *engine.Engine, s *swarm.Snapshot, request *engine.ServiceRequest) (*plannedService, error) {
	p := &plannedService{engine: e, request: request}
	if len(request.Missing) == 0 {
		var err error
		if p.warning, err = e.ResolveImage(ctx, request); err != nil {
			return nil, problem.New("context %q: %w", e.Context(), err)
		}
	}
	wish := deploy.Wish{Service: request.Service(), Networks: request.Networks, Missing: request.Missing}
	if existing, ok := s.ServiceByName(wish.Service.Name); ok {
		var err error
		if p.changes, err = request.Against(existing, s.Networks); err != nil {
			return nil, problem.New("context %q: %w", e.Context(), err)
		}
		p.existing, wish.Existing = &existing, &existing
		wish.Service = request.Service()
	}
	if err := deploy.Preflight(s, wish, p.changes); err != nil {
		return nil, err
	}
	return p, nil
}

// tell says what is known before anything is changed.
func (p *plannedService) tell(sink event.Sink) {
	object := "service " + text.Clean(p.request.Service().Name)
	if p.warning != "" {
		sink.On(event.Event{Object: object, Kind: event.Warning, State: "warning", Detail: p.warning})
	}
	if p.existing != nil && len(p.changes) > 0 {
		sink.On(event.Event{Object: object, Kind: event.Note, State: "changes", Detail: deploy.Words(p.changes)})
	}
}
