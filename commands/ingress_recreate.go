package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/mesh"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

type ingressRecreateOptions struct {
	subnets, gateways []string
	mtu               int
	options           opts.MapOpts
	resume, undo      bool
	timeout           time.Duration
	dryRunOption
	confirmOption
	progressOptions
}

func newIngressRecreateCommand(dockerCLI command.Cli) *cobra.Command {
	o := ingressRecreateOptions{options: *opts.NewMapOpts(nil, nil)}
	cmd := &cobra.Command{
		Use:   "recreate [OPTIONS]",
		Short: "Make the ingress network anew with another subnet, MTU or options",
		Long: `Make the ingress network anew. A swarm never changes a network, and removes ingress only
while no service publishes a port through it. So the ports come off all such services, the
network is removed and created, and the ports are put back with the same numbers, in the
same order. Published ports answer nowhere meanwhile, and the tasks of those services
restart twice. What happens is shown first, and asked for.

What is not named stays as it is. A swarm without an ingress network is given one. Where
something fails, all is put back as it was, and the exit code is 4. The services remember
their ports in labels until all is done: after Ctrl-C, or when this command was killed,
--resume goes on and --undo goes back.`,
		Example: `  # Another subnet; see first what that restarts
  docker swarmnet ingress recreate --subnet 10.200.0.0/16 --dry-run
  docker swarmnet ingress recreate --subnet 10.200.0.0/16

  # The MTU of the network between the nodes
  docker swarmnet ingress recreate --mtu 1400

  # Go on after an interruption, or go back to what was before
  docker swarmnet ingress recreate --resume
  docker swarmnet ingress recreate --undo`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runIngressRecreate(cmd.Context(), dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.subnets, "subnet", nil, "Subnet in CIDR format")
	f.StringSliceVar(&o.gateways, "gateway", nil, "IPv4 or IPv6 gateway of a --subnet")
	f.IntVar(&o.mtu, "mtu", 0, "MTU in bytes of the network between the nodes")
	f.VarP(&o.options, "opt", "o", "Set driver specific options")
	f.BoolVar(&o.resume, "resume", false, "Go on with what was interrupted")
	f.BoolVar(&o.undo, "undo", false, "Go back to the ingress network that was before")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long each step may take, such as services coming up")
	o.dryRunOption.install(cmd, "Show the plan, and change nothing", "")
	o.confirmOption.install(cmd)
	o.progressOptions.install(cmd)
	return cmd
}

// wish reads the flags that say what ingress shall be.
func (o *ingressRecreateOptions) wish() (mesh.Wish, error) {
	subnets, err := addr.Wanted{Subnets: o.subnets, Gateways: o.gateways}.Parse()
	if err != nil {
		return mesh.Wish{}, err
	}
	options := maps.Clone(o.options.GetAll())
	if err := (&createFlags{mtu: o.mtu}).shorthand(options); err != nil {
		return mesh.Wish{}, err
	}
	return mesh.Wish{Subnets: subnets, Options: options}, addr.CheckOptions(options)
}

// validate holds what flags mean together.
func (o *ingressRecreateOptions) validate(w mesh.Wish) error {
	goesOn := o.resume || o.undo
	return hold(append(o.rules(),
		flagRule{o.resume && o.undo, "--resume goes on and --undo goes back: use one"},
		flagRule{goesOn && (len(w.Subnets) > 0 || len(w.Options) > 0), "--resume and --undo go by what was asked for when it began: leave the other properties out"},
		flagRule{goesOn && o.dryRun, "--dry-run shows the plan of what has not begun"},
		flagRule{o.timeout <= 0, "--timeout: give each step some time, such as 5m"},
	)...)
}

func runIngressRecreate(ctx context.Context, dockerCLI command.Cli, o ingressRecreateOptions) error {
	wish, err := o.wish()
	if err != nil {
		return err
	}
	if err := o.validate(wish); err != nil {
		return err
	}
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	if o.resume || o.undo {
		return o.goOn(ctx, dockerCLI, e, s)
	}
	plan, err := mesh.New(s, wish)
	switch {
	case err != nil:
		return err
	case len(plan.Changes) == 0:
		_, _ = fmt.Fprintf(dockerCLI.Err(), "network %q of context %q is as asked for already: nothing was changed\n", text.Clean(plan.Old.Name), s.Context)
		_, _ = fmt.Fprintln(dockerCLI.Out(), plan.Old.ID)
		return nil
	case o.dryRun:
		return showRecreation(dockerCLI.Out(), plan, o.format)
	}
	if err := showRecreation(dockerCLI.Err(), plan, ""); err != nil {
		return err
	}
	question := fmt.Sprintf("This makes the routing mesh of context %q anew: the ports of %s are silent meanwhile, and their tasks restart (%s in all). Continue?",
		s.Context, text.Count(len(plan.Services), "service"), text.Count(plan.Restarts(), "restart"))
	if err := o.ask(ctx, dockerCLI, question); err != nil {
		return err
	}
	return o.carryOut(ctx, dockerCLI, e, mesh.Course{Job: plan.Job})
}

// goOn resumes or undoes what services remember.
func (o *ingressRecreateOptions) goOn(ctx context.Context, dockerCLI command.Cli, e *engine.Engine, s *swarm.Snapshot) error {
	job, ok := mesh.Find(s)
	if !ok {
		p := problem.New("nothing is under way in context %q: no service remembers ports of the routing mesh", s.Context)
		if _, there := s.Ingress(); !there {
			p.Msg += ", and the swarm has no ingress network"
			return p.WithNext("Run 'docker -c %s swarmnet ingress recreate' to make one, with the options it shall have.", s.Context)
		}
		return p.WithNext("Run 'docker -c %s swarmnet ingress' to see the ingress network there is.", s.Context)
	}
	what := fmt.Sprintf("This goes on making the routing mesh of context %q anew, which restarts tasks. Continue?", s.Context)
	if o.undo {
		what = fmt.Sprintf("This brings the routing mesh of context %q back to what it was, which restarts tasks. Continue?", s.Context)
	}
	if err := o.ask(ctx, dockerCLI, what); err != nil {
		return err
	}
	return o.carryOut(ctx, dockerCLI, e, mesh.Course{Job: job, Back: o.undo})
}

// carryOut does it with its progress shown, and prints the ID of the ingress
// network that there is then.
func (o *ingressRecreateOptions) carryOut(ctx context.Context, dockerCLI command.Cli, e *engine.Engine, c mesh.Course) error {
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	n, err := apply.Recreation{Context: e.Context(), Timeout: o.timeout, Log: e.TaskLog}.Go(ctx, e, c, sink)
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	_, _ = fmt.Fprintln(dockerCLI.Out(), n.ID)
	return nil
}

// recreationJSON is a plan as --format json shows it.
type recreationJSON struct {
	Context  string
	Network  string
	ID       string `json:",omitempty"`
	Changes  []string
	Subnets  []string
	Services []recreatedServiceJSON
	Restarts int
	Steps    []string
	Notes    []string
}

type recreatedServiceJSON struct {
	Name  string
	Ports []string
	Tasks int
}

// showRecreation writes the plan for people, or as one line of JSON.
func showRecreation(out io.Writer, p mesh.Plan, format string) error {
	if format == "json" {
		j := recreationJSON{Context: p.Context, Network: p.Job.Goal.Name, Changes: p.Changes, Restarts: p.Restarts(), Steps: p.Steps, Notes: p.Notes}
		if p.Old != nil {
			j.ID = p.Old.ID
		}
		for _, sub := range p.Job.Goal.Subnets {
			j.Subnets = append(j.Subnets, sub.Prefix.String())
		}
		for _, sv := range p.Services {
			j.Services = append(j.Services, recreatedServiceJSON(sv))
		}
		return json.NewEncoder(out).Encode(j)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "network %s of context %s\n", text.Clean(p.Job.Goal.Name), p.Context)
	migrationSection(&b, "changes", p.Changes)
	services := make([]string, 0, len(p.Services))
	for _, sv := range p.Services {
		services = append(services, fmt.Sprintf("%s: %s; %s, each restarts 2 times", text.Clean(sv.Name), text.Clean(strings.Join(sv.Ports, ", ")), text.Count(sv.Tasks, "task")))
	}
	migrationSection(&b, "services", services)
	migrationSection(&b, "steps", p.Steps)
	migrationSection(&b, "note", p.Notes)
	_, err := io.WriteString(out, b.String())
	return err
}
