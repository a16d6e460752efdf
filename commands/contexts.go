package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/context/docker"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

const (
	// allContexts is the word for every docker context there is.
	allContexts = "all"
	// lookTime bounds a look at one of several contexts: a machine that is off
	// and drops packets must not hold up the rows of the others.
	lookTime = 30 * time.Second
	// maxContexts bounds the endpoints looked at side by side.
	maxContexts = 32
)

// contextsOption is the flag --contexts.
type contextsOption struct {
	names []string
	// accept says what is in the way of using a snapshot; nil stands for
	// engine.RequireWhole.
	accept func(*swarm.Snapshot) error
}

func (o *contextsOption) install(cmd *cobra.Command, dockerCLI command.Cli) {
	cmd.Flags().StringSliceVar(&o.names, "contexts", nil, `Docker contexts to work with, comma-separated, or "all"`)
	_ = cmd.RegisterFlagCompletionFunc("contexts", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		list, err := dockerCLI.ContextStore().List()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names := []string{allContexts}
		for _, m := range list {
			names = append(names, m.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// looked is one swarm seen through one context.
type looked struct {
	engine *engine.Engine
	s      *swarm.Snapshot
}

// looks are the swarms of all chosen contexts.
type looks struct {
	// several tells whether contexts were chosen with --contexts or in docker's
	// configuration; results then say which context each row is of.
	several bool
	swarms  []looked
	failed  []failedContext
}

// failedContext is a context that has no answer, and why.
type failedContext struct {
	name string
	err  error
}

// look takes a snapshot of the swarm behind every chosen context. Without a
// choice that is the context that Docker chose, and what is in the way there
// is the error; of several contexts, those that do not answer are kept apart.
func (o *contextsOption) look(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli) (*looks, error) {
	names, err := o.chosen(cmd, dockerCLI)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		e, err := openCurrent(dockerCLI)
		if err != nil {
			return nil, err
		}
		s, err := e.Look(ctx)
		if err != nil {
			return nil, err
		}
		if err := o.judge(s); err != nil {
			return nil, err
		}
		return &looks{swarms: []looked{{e, s}}}, nil
	}
	return lookAtEach(ctx, dockerCLI, names, o.judge)
}

func (o *contextsOption) judge(s *swarm.Snapshot) error {
	if o.accept != nil {
		return o.accept(s)
	}
	return engine.RequireWhole(s)
}

// chosen returns the names of the contexts, each once. What is kept in docker's
// config.json under plugins.swarmnet.contexts counts where the command line
// says nothing of contexts.
func (o *contextsOption) chosen(cmd *cobra.Command, dockerCLI command.Cli) ([]string, error) {
	names := o.names
	if !cmd.Flags().Changed("contexts") {
		kept, ok := dockerCLI.ConfigFile().PluginConfig(metadata.Name, "contexts")
		if !ok || oneContextNamed(cmd) {
			return nil, nil
		}
		names = strings.Split(kept, ",")
	}
	var out []string
	for _, n := range names {
		if n = strings.TrimSpace(n); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, problem.New("--contexts names no context").
			WithNext("Run 'docker context ls' to see the contexts there are.").WithCode(problem.Usage)
	}
	if !slices.Contains(out, allContexts) {
		return out, nil
	}
	list, err := dockerCLI.ContextStore().List()
	if err != nil {
		return nil, problem.New("could not read the docker contexts: %w", err)
	}
	out = nil
	for _, m := range list {
		out = append(out, m.Name)
	}
	slices.SortFunc(out, natural)
	return out, nil
}

// oneContextNamed tells whether this call names a context or engine itself,
// with -c, -H or the variables that stand for them.
func oneContextNamed(cmd *cobra.Command) bool {
	if os.Getenv("DOCKER_CONTEXT") != "" || os.Getenv("DOCKER_HOST") != "" {
		return true
	}
	for _, flag := range []string{"context", "host"} {
		if f := cmd.Root().Flags().Lookup(flag); f != nil && f.Changed {
			return true
		}
	}
	return false
}

// lookAtAll looks at contexts for the whole truth.
func lookAtAll(ctx context.Context, dockerCLI command.Cli, names []string) (*looks, error) {
	return lookAtEach(ctx, dockerCLI, names, engine.RequireWhole)
}

// lookAtEach looks at the contexts side by side. Contexts with the same
// endpoint take turns, so that no ssh endpoint sees more calls at once than
// those of one look.
func lookAtEach(ctx context.Context, dockerCLI command.Cli, names []string, accept func(*swarm.Snapshot) error) (*looks, error) {
	engines := make([]*engine.Engine, len(names))
	snapshots := make([]*swarm.Snapshot, len(names))
	failed := make([]error, len(names))
	byEndpoint := map[string][]int{}
	for i, name := range names {
		if engines[i], failed[i] = openContext(dockerCLI, name); failed[i] == nil {
			host := endpointOf(dockerCLI, name)
			byEndpoint[host] = append(byEndpoint[host], i)
		}
	}
	var g errgroup.Group
	g.SetLimit(maxContexts)
	for _, turn := range byEndpoint {
		g.Go(func() error {
			for _, i := range turn {
				snapshots[i], failed[i] = lookWithin(ctx, engines[i])
			}
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	out := &looks{several: true}
	known := knownSwarms{clusters: map[string]string{}, nodes: map[string]string{}}
	for i, s := range snapshots {
		if failed[i] == nil {
			failed[i] = accept(s)
		}
		if failed[i] != nil {
			continue
		}
		if same, ok := known.clusters[s.Cluster.ID]; ok && s.Cluster.ID != "" {
			sameSwarm(dockerCLI, names[i], same)
			continue
		}
		known.add(s)
		out.swarms = append(out.swarms, looked{engines[i], s})
	}
	for i, err := range failed {
		if err == nil {
			continue
		}
		if s := snapshots[i]; s != nil && !s.Cluster.Manager && known.nodes[s.Cluster.NodeID] != "" {
			sameSwarm(dockerCLI, names[i], known.nodes[s.Cluster.NodeID])
			continue
		}
		out.failed = append(out.failed, failedContext{names[i], err})
	}
	return out, nil
}

// forEachSwarm does something for all swarms that were looked at, side by side.
// Results and errors stand in their order.
func forEachSwarm[T any](l *looks, do func(looked) (T, error)) ([]T, []error) {
	results, failed := make([]T, len(l.swarms)), make([]error, len(l.swarms))
	var g errgroup.Group
	g.SetLimit(maxContexts)
	for i, at := range l.swarms {
		g.Go(func() error {
			results[i], failed[i] = do(at)
			return nil
		})
	}
	_ = g.Wait()
	return results, failed
}

// lookWithin takes one snapshot within lookTime.
func lookWithin(ctx context.Context, e *engine.Engine) (*swarm.Snapshot, error) {
	within, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	s, err := e.Look(within)
	if err != nil && ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded) {
		return nil, problem.New("the engine of context %q has not answered within %s", e.Context(), lookTime).WithCode(problem.TimedOut)
	}
	return s, err
}

// knownSwarms are the swarms looked at so far, by cluster ID and by the IDs of
// their nodes, with the context that leads there. A worker does not tell its
// cluster's ID, only its own.
type knownSwarms struct{ clusters, nodes map[string]string }

func (k knownSwarms) add(s *swarm.Snapshot) {
	if s.Cluster.ID != "" {
		k.clusters[s.Cluster.ID] = s.Context
	}
	for _, n := range s.Nodes {
		k.nodes[n.ID] = s.Context
	}
}

func sameSwarm(dockerCLI command.Cli, name, same string) {
	_, _ = fmt.Fprintf(dockerCLI.Err(), "context %q leads to the same swarm as %q, which is counted once\n", name, same)
}

// endpointOf returns where a context points.
func endpointOf(dockerCLI command.Cli, name string) string {
	meta, err := dockerCLI.ContextStore().GetMetadata(name)
	if err != nil {
		return name
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil || endpoint.Host == "" {
		return name
	}
	return endpoint.Host
}
