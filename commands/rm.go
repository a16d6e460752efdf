package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

type rmOptions struct {
	refs        []string
	stack       string
	force       bool
	forceDetach bool
	timeout     time.Duration

	contexts contextsOption
	confirmOption
	progressOptions
}

func newRmCommand(dockerCLI command.Cli) *cobra.Command {
	var o rmOptions
	cmd := &cobra.Command{
		Use:     "rm [OPTIONS] [NETWORK...]",
		Aliases: []string{"remove"},
		Short:   "Remove networks that nobody uses, or a stack, without leaking addresses",
		Long: `Remove overlay networks. A network in use is refused, with the name of everyone on
it and the command that frees it. Tasks that are ending are waited for: a network that
goes before its last task leaks that task's addresses on its other networks.

With --force-detach, services are taken off the network first, one after another, as
"detach" does it: what restarts is shown, and asked for.

With --stack all that belongs to a stack is removed: its services, then, when every task
has ended, its networks, configs and secrets. "docker stack rm" does not wait in between.
After Ctrl-C, and when the time is over, it says what is left.

With --contexts what has that name is removed from every one of the swarms. Where the
contexts are those kept in docker's config.json, it asks first.`,
		Example: `  # Remove one
  docker swarmnet rm docknet

  # Remove a service, then its network as soon as the tasks have ended
  docker service rm mydrupal && docker swarmnet rm docknet

  # From two swarms
  docker swarmnet rm --contexts east,west docknet

  # Take the services on it off first
  docker swarmnet rm --force-detach docknet

  # In a script: fine if it is gone already, at most a minute
  docker swarmnet rm --force --timeout 1m docknet

  # A whole stack
  docker swarmnet rm --stack shop`,
		Args: func(cmd *cobra.Command, args []string) error { return o.arguments(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			o.refs = args
			if cmd.Flags().Changed("stack") {
				o.refs = []string{o.stack}
			}
			return runRm(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: completeNetworks(dockerCLI, 0),
	}
	f := cmd.Flags()
	f.BoolVarP(&o.force, "force", "f", false, "Do not error if a network or the stack does not exist")
	f.StringVar(&o.stack, "stack", "", "Remove this stack in place of networks")
	_ = cmd.RegisterFlagCompletionFunc("stack", completeStacks(dockerCLI))
	f.BoolVar(&o.forceDetach, "force-detach", false, "Take services off the network first, which restarts their tasks")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for ending tasks, and for each service to be detached")
	o.contexts.install(cmd, dockerCLI)
	o.confirmOption.install(cmd)
	o.progressOptions.install(cmd)
	return cmd
}

// arguments holds the arguments to networks, or to none beside a stack.
func (o *rmOptions) arguments(cmd *cobra.Command, args []string) error {
	if !cmd.Flags().Changed("stack") {
		return cli.RequiresMinArgs(1)(cmd, args)
	}
	if len(args) > 0 {
		return problem.New("--stack %s removes all of the stack; it goes without %q", o.stack, args[0]).WithCode(problem.Usage)
	}
	return nil
}

func runRm(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o rmOptions) error {
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err != nil {
		return err
	}
	if o.forceDetach && (len(names) > 0 || o.stack != "") {
		return problem.New("--force-detach is for networks of one context, not for --contexts or --stack").WithCode(problem.Usage)
	}
	if len(names) > 0 {
		return removeFromEach(ctx, dockerCLI, o, names, cmd.Flags().Changed("contexts"))
	}
	if cmd.Flags().Changed("stack") {
		return runRmStack(ctx, dockerCLI, o)
	}
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	refs, failed := o.detached(ctx, cmd, dockerCLI, e)
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()

	var removed []string
	for _, ref := range refs {
		err := removeOne(ctx, e, s, ref, sink, o.force)
		if err == nil {
			removed = append(removed, ref)
			continue
		}
		failed = append(failed, err)
	}
	done() // what is printed now must not land among progress
	for _, ref := range removed {
		_, _ = fmt.Fprintln(dockerCLI.Out(), ref)
	}
	return joined(failed)
}

func removeOne(ctx context.Context, e *engine.Engine, s *swarm.Snapshot, ref string, sink event.Sink, force bool) error {
	if force && len(s.FindNetworks(ref)) == 0 {
		return nil
	}
	n, err := oneNetwork(s, ref)
	if err != nil {
		return err
	}
	if n.Ingress {
		return problem.New("network %q is the routing mesh of the swarm: without it no service can publish a port", n.Name).
			WithNext("If that is what you want, use 'docker network rm %s'.", n.Name)
	}
	return apply.RemoveNetwork(ctx, e, n, sink)
}

// joined makes one error of several, with the gravest exit code first met.
func joined(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	code := problem.Failed
	for _, err := range errs {
		if code = problem.CodeOf(err); code > problem.Failed {
			break
		}
	}
	all := errors.Join(errs...)
	return &problem.Error{Msg: all.Error(), Code: code, Err: all}
}
