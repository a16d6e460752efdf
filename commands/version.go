package commands

import (
	"context"
	"os"
	"runtime"
	"text/template"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/docker/cli/cli/command/formatter/tabwriter"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/cli/templates"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/dockercli"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

const versionTemplate = `Plugin:
 Version:	{{.Plugin.Version}}
 Git commit:	{{.Plugin.Commit}}
 Go version:	{{.Plugin.GoVersion}}
 OS/Arch:	{{.Plugin.OS}}/{{.Plugin.Arch}}

Docker CLI:
 Version:	{{or .CLI.Version "unknown"}}
 Built on:	docker/cli {{.CLI.Library}}
 Context:	{{.CLI.Context}}
{{- with .Engine}}

Engine:
 Version:	{{.Version}}
 API version:	{{.APIVersion}}
 OS:	{{.OS}}
 Kernel:	{{.Kernel}}
{{- end}}`

// versions is what "version" prints; its fields are the placeholders of
// --format.
type versions struct {
	Plugin pluginVersion
	CLI    cliVersion
	// Engine is nil when the engine did not answer.
	Engine *engineVersion
}

type pluginVersion struct{ Version, Commit, GoVersion, OS, Arch string }

type cliVersion struct {
	// Version is that of the docker CLI that called the plugin: "none (…)" for
	// a plugin run on its own, empty where it cannot be had.
	Version string
	// Library is the version of docker/cli that the plugin is built on.
	Library string
	Context string
}

type engineVersion struct {
	Version string
	// APIVersion is the one in use: the highest that both sides know.
	APIVersion string
	OS, Kernel string
}

func newVersionCommand(dockerCLI command.Cli) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "version [OPTIONS]",
		Short: "Show the versions of the plugin, the docker CLI, the engine and the API",
		Long: `Show the versions of the plugin, of the docker CLI that called it, of the engine behind
the context and of the API between them. Where the engine does not answer, what is
known without it is shown, with an error and exit code 1.`,
		Example: `  docker swarmnet version

  # The API version in use, for a script
  docker swarmnet version --format '{{.Engine.APIVersion}}'

  # Everything as JSON
  docker swarmnet version --format json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runVersion(cmd.Context(), dockerCLI, format)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", flags.InspectFormatHelp)
	return cmd
}

func runVersion(ctx context.Context, dockerCLI command.Cli, format string) error {
	tmpl, err := parseVersionTemplate(format)
	if err != nil {
		return err
	}
	// An old CLI has to be asked in a process of its own, so ask it while the
	// engine answers.
	callerVersion := make(chan string, 1)
	go func() { callerVersion <- caller(ctx) }()

	v := versions{
		Plugin: pluginVersion{metadata.Version, metadata.Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH},
		CLI:    cliVersion{Library: dockercli.Library(), Context: text.Clean(dockerCLI.CurrentContext())},
	}
	answer, engineErr := readEngineVersion(ctx, dockerCLI)
	v.Engine = answer
	v.CLI.Version = <-callerVersion

	out := tabwriter.NewWriter(dockerCLI.Out(), 16, 1, 1, ' ', 0)
	err = tmpl.Execute(out, v)
	_, _ = out.Write([]byte("\n"))
	_ = out.Flush()
	if engineErr != nil {
		return engineErr
	}
	if err != nil {
		return problem.New("template: %w", err)
	}
	return nil
}

func caller(ctx context.Context) string {
	binary := dockercli.Caller(os.Getenv)
	if binary == "" {
		return "none (the plugin runs on its own)"
	}
	return dockercli.Version(ctx, binary)
}

func readEngineVersion(ctx context.Context, dockerCLI command.Cli) (*engineVersion, error) {
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return nil, err
	}
	v, err := e.Version(ctx)
	if err != nil {
		return nil, err
	}
	return &engineVersion{
		Version: text.Clean(v.Version), APIVersion: v.APIVersion, OS: text.Clean(v.OS), Kernel: text.Clean(v.KernelVersion),
	}, nil
}

func parseVersionTemplate(format string) (*template.Template, error) {
	switch format {
	case "", formatter.PrettyFormatKey:
		format = versionTemplate
	case formatter.JSONFormatKey:
		format = formatter.JSONFormat
	}
	tmpl, err := templates.Parse(format)
	if err != nil {
		return nil, problem.New("the template of --format cannot be read: %w", err).WithCode(problem.Usage)
	}
	return tmpl, nil
}
