package commands

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// stackOptions are the flags of commands that read a Compose file.
type stackOptions struct {
	files          []string
	resolve        string
	prune          bool
	noDotenv       bool
	noShortAliases bool
	registryAuth   bool
}

// install adds the flags; those that docker stack deploy has, as there.
func (o *stackOptions) install(f *pflag.FlagSet) {
	f.StringSliceVarP(&o.files, "compose-file", "c", nil, `Path to a Compose file, or "-" to read from stdin; several are merged`)
	f.StringVar(&o.resolve, "resolve-image", engine.ResolveAlways, `Query the registry to resolve image digest and supported platforms ("always", "changed", "never")`)
	f.BoolVar(&o.prune, "prune", false, "Remove services, networks, configs and secrets of the stack that the file no longer has")
	f.BoolVar(&o.noDotenv, "no-dotenv", false, `Do not read ".env" beside the first Compose file`)
	f.BoolVar(&o.noShortAliases, "no-short-aliases", false, "Leave the short name of a service off networks that are not the stack's own")
	if f.Lookup("with-registry-auth") == nil {
		f.BoolVar(&o.registryAuth, "with-registry-auth", false, "Send registry authentication details to swarm agents")
	}
}

// complete completes the values of the flags.
func (o *stackOptions) complete(cmd *cobra.Command) {
	_ = cmd.MarkFlagFilename("compose-file", "yml", "yaml")
	_ = cmd.RegisterFlagCompletionFunc("resolve-image", cobra.FixedCompletions(
		[]string{engine.ResolveAlways, engine.ResolveChanged, engine.ResolveNever}, cobra.ShellCompDirectiveNoFileComp))
}

// load reads the files; docker's warnings about them go to stderr.
func (o *stackOptions) load(dockerCLI command.Cli, args []string) (*stackfile.Stack, error) {
	switch o.resolve {
	case engine.ResolveAlways, engine.ResolveChanged, engine.ResolveNever:
	default:
		return nil, problem.New(`--resolve-image %q: use "always", "changed" or "never"`, o.resolve).WithCode(problem.Usage)
	}
	read := stackfile.Options{
		Files: o.files, Stdin: dockerCLI.In(), Environ: os.Environ(), NoDotenv: o.noDotenv, NoShortAliases: o.noShortAliases,
	}
	if len(args) > 0 {
		read.Stack = args[0]
		if read.Stack == "" {
			return nil, problem.New("the name of the stack is empty").WithCode(problem.Usage)
		}
	}
	st, err := stackfile.Load(read)
	if err != nil {
		return nil, err
	}
	for _, w := range st.Warnings {
		_, _ = dockerCLI.Err().Write([]byte(w))
	}
	return st, nil
}

// plannedStack is a stack that has been compared with one swarm.
type plannedStack struct {
	engine   *engine.Engine
	observed *plan.Observed
	request  *engine.StackRequest
	desired  plan.Desired
	plan     plan.Plan
}

// warn tells the warnings of the plan; several: with the context they are of.
func (ps *plannedStack) warn(dockerCLI command.Cli, several bool) {
	for _, w := range ps.plan.Warnings {
		if several {
			w = fmt.Sprintf("context %q: %s", ps.plan.Context, w)
		}
		_, _ = fmt.Fprintln(dockerCLI.Err(), "Warning: "+w)
	}
}

// planStack takes one look at a swarm and decides what deploying the stack on
// it would do. What stands in the way of the plan is part of it (Plan.Err).
func planStack(ctx context.Context, dockerCLI command.Cli, e *engine.Engine, st *stackfile.Stack, o stackOptions) (*plannedStack, error) {
	request := engine.NewStackRequest(st)
	ps := &plannedStack{engine: e, request: request}
	var err error
	if ps.observed, err = e.LookStack(ctx, request, o.prune); err != nil {
		return nil, err
	}
	if err := engine.RequireManager(ps.observed.Snapshot); err != nil {
		return nil, err
	}
	if unread := ps.observed.Unread; len(unread) > 0 {
		return nil, problem.New("could not read the %s of the swarm: %w", unread[0].What, unread[0].Err)
	}
	var auth func(image string) (string, error)
	if o.registryAuth {
		auth = func(image string) (string, error) {
			return command.RetrieveAuthTokenFromImage(dockerCLI.ConfigFile(), image)
		}
	}
	unresolved, err := request.Prepare(ctx, e, ps.observed, o.resolve, auth)
	if err != nil {
		return nil, err
	}
	if ps.desired, err = request.Desired(ps.observed, o.prune); err != nil {
		return nil, err
	}
	ps.desired.Unresolved = unresolved
	ps.plan = plan.Reconcile(ps.desired, ps.observed)
	return ps, nil
}
