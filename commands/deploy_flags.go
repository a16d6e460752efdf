package commands

import (
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/service"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// dockerFlags are the flags of docker's own "service create" as they are given
// on the command line. They are kept as they were typed, since docker's command
// looks names up for one swarm and must be made anew for each (docs/adr/0001).
type dockerFlags struct {
	set   *pflag.FlagSet
	typed []typedFlag
}

type typedFlag struct{ name, value string }

// install adds the flags.
func (d *dockerFlags) install(f *pflag.FlagSet, dockerCLI command.Cli) {
	d.set = dockerServiceCreate(dockerCLI).Flags()
	d.set.VisitAll(func(flag *pflag.Flag) {
		flag.Value = &keptValue{Value: flag.Value, name: flag.Name, in: d}
		if flag.Name == "network" {
			// Cobra keeps one completion for each flag, and docker's own for this
			// one asks for as long as it takes, and offers local networks too.
			own := *flag
			flag = &own
		}
		f.AddFlag(flag)
	})
}

// keptValue is a flag's value that also remembers what was typed.
type keptValue struct {
	pflag.Value
	name string
	in   *dockerFlags
}

// Set sets the value, which may add to what was given before.
func (v *keptValue) Set(s string) error {
	if err := v.Value.Set(s); err != nil {
		return err
	}
	v.in.typed = append(v.in.typed, typedFlag{v.name, s})
	return nil
}

// record finds out what docker would create from the flags in a swarm.
func (d *dockerFlags) record(cmd *cobra.Command, dockerCLI command.Cli, e *engine.Engine, args []string) (*engine.ServiceRequest, error) {
	return e.RecordService(func(api engine.APIClient) error {
		create := dockerServiceCreate(&recordingCLI{dockerCLI, api})
		for _, t := range d.typed {
			if err := create.Flags().Set(t.name, t.value); err != nil {
				return err
			}
		}
		create.SetContext(cmd.Context())
		return create.RunE(create, args)
	})
}

// recordingCLI gives docker's own command a client that only records.
type recordingCLI struct {
	command.Cli
	api engine.APIClient
}

// Client returns the recording client.
func (c *recordingCLI) Client() engine.APIClient { return c.api }

// dockerServiceCreate returns docker's own "service create" (docs/adr/0001).
func dockerServiceCreate(dockerCLI command.Cli) *cobra.Command {
	cmd, _, err := service.NewServiceCommand(dockerCLI).Find([]string{"create"}) //nolint:staticcheck // the one way to its flags, held by a test
	if err != nil {
		panic("docker/cli has no service create: " + err.Error())
	}
	return cmd
}
