package commands

import (
	"os"
	"path/filepath"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

func newSandboxCommand(dockerCLI command.Cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Real swarms of several nodes on this Linux machine",
		Long: `Make real multi-node swarms on this Linux machine, to try things out and to test.

Every node is a dockerd of its own, with a hostname, an address and a cable, and is a
docker context: "docker -c sandbox-n2 ps" asks the second node of the sandbox "sandbox".
Nodes have no way to a registry; "sandbox load" puts images on them. A docker engine that
runs on the machine is not touched. Sandboxes need root.`,
		Example: `  # A swarm of three nodes, a network and a service on it
  docker swarmnet sandbox up
  docker swarmnet sandbox load swarmnet/demo
  docker -c sandbox swarmnet create docknet
  docker -c sandbox swarmnet deploy --name web --network docknet swarmnet/demo

  # Nothing is left of it after
  docker swarmnet sandbox down`,
		Args: cli.NoArgs,
		RunE: command.ShowHelp(dockerCLI.Err()),
	}
	cmd.AddCommand(
		newSandboxUpCommand(dockerCLI),
		newSandboxLsCommand(dockerCLI),
		newSandboxLoadCommand(dockerCLI),
		newSandboxDownCommand(dockerCLI),
		newSandboxNodeCommand(dockerCLI),
		newSandboxDemoCommand(dockerCLI),
		newSandboxNodeInitCommand(),
	)
	return cmd
}

// openSandboxes gives access to the sandboxes; what happens to them goes to sink.
func openSandboxes(sink event.Sink) (*sandbox.Sandboxes, error) {
	return sandbox.Open(sandbox.Options{
		Dial:         func(name, host string) (sandbox.Engine, error) { return engine.Dial(name, host) },
		Contexts:     func(dir string) sandbox.Contexts { return &contextsIn{dir: dir} },
		DockerConfig: config.Dir(),
		Events:       sink,
	})
}

// contextsIn are the docker contexts of a Docker configuration folder. It is
// not always the current one: "sandbox down" must find the contexts that
// "sandbox up" made, whatever DOCKER_CONFIG is now.
type contextsIn struct{ dir string }

func (c *contextsIn) store() *store.ContextStore {
	return store.New(filepath.Join(c.dir, "contexts"), command.DefaultContextStoreConfig())
}

// Host implements sandbox.Contexts.
func (c *contextsIn) Host(name string) (host string, exists bool, err error) {
	meta, err := c.store().GetMetadata(name)
	if cerrdefs.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil {
		// A context without a docker endpoint leads nowhere, and is taken.
		return "", true, nil //nolint:nilerr // said above
	}
	return endpoint.Host, true, nil
}

// Create implements sandbox.Contexts.
func (c *contextsIn) Create(name, host, description string) error {
	return c.store().CreateOrUpdate(store.Metadata{
		Name:      name,
		Metadata:  command.DockerContext{Description: description},
		Endpoints: map[string]any{docker.DockerEndpoint: docker.EndpointMeta{Host: host}},
	})
}

// Remove implements sandbox.Contexts. A context that "docker context use" has
// made the current one is first given up as such, since docker refuses every
// command while its current context does not exist.
func (c *contextsIn) Remove(name string) error {
	if _, err := os.Stat(filepath.Join(c.dir, config.ConfigFileName)); err == nil {
		file, err := config.Load(c.dir)
		if err != nil {
			return err
		}
		if file.CurrentContext == name {
			file.CurrentContext = ""
			if err := file.Save(); err != nil {
				return err
			}
		}
	}
	return c.store().Remove(name)
}

// completeSandboxes completes names of sandboxes as the argument at that place.
func completeSandboxes(place int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) != place {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return sandbox.Names(), cobra.ShellCompDirectiveNoFileComp
	}
}

func completeSandboxNodes(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return sandbox.NodeNames(), cobra.ShellCompDirectiveNoFileComp
}

// sandboxName is the sandbox that the arguments name, or the usual one.
func sandboxName(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return sandbox.DefaultName
}
