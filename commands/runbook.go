package commands

import (
	"context"
	"io/fs"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/docs/runbooks"
	"github.com/swarmnet/docker-swarmnet/internal/core/runbook"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type runbookOptions struct {
	format string
	quiet  bool
}

func newRunbookCommand(dockerCLI command.Cli) *cobra.Command {
	var o runbookOptions
	cmd := &cobra.Command{
		Use:   "runbook [OPTIONS] [CODE|NAME]",
		Short: "Show a runbook: how to do a job, or what to do about a finding",
		Long: `Show a runbook, or list them all. There is one for each job ("first-network") and one for
each finding of "docker swarmnet check", by its code. They are part of the plugin and need
neither a swarm nor the internet.

On a terminal the runbook is shown through the program in the environment variable PAGER,
"less -R" when there is none.`,
		Example: `  # All runbooks
  docker swarmnet runbook

  # One of them
  docker swarmnet runbook first-network

  # Into a file
  docker swarmnet runbook opening-the-ports >ports.md

  # For a script: names and titles
  docker swarmnet runbook --format '{{.Name}}: {{.Title}}'`,
		Args: cli.RequiresMaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRunbook(cmd.Context(), dockerCLI, o, args)
		},
		ValidArgsFunction: completeRunbooks,
	}
	cmd.Flags().StringVar(&o.format, "format", "", flags.FormatHelp)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Only display names")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.NoFileCompletions)
	return cmd
}

func runRunbook(ctx context.Context, dockerCLI command.Cli, o runbookOptions, args []string) error {
	pages, err := allRunbooks()
	if err != nil {
		return err
	}
	if len(args) > 0 {
		page, err := runbook.Find(pages, args[0])
		if err != nil {
			return err
		}
		if o.format == "" && !o.quiet {
			return showPage(ctx, dockerCLI, page.Text)
		}
		pages = []runbook.Page{page}
	}
	rows := make([]format.Row, len(pages))
	for i, p := range pages {
		row := &runbookRow{Code: p.Code, Name: p.Name, Title: p.Title}
		if len(args) > 0 {
			row.Text = p.Text
		}
		rows[i] = row
	}
	return runbookTable().Write(dockerCLI.Out(), o.format, o.quiet, rows)
}

// allRunbooks reads the pages that are built into the plugin.
func allRunbooks() ([]runbook.Page, error) {
	files, err := fs.Glob(runbooks.Files, "*.md")
	if err != nil {
		return nil, err
	}
	var pages []runbook.Page
	for _, file := range files {
		if file == "README.md" { // the index, for those who read the folder
			continue
		}
		content, err := fs.ReadFile(runbooks.Files, file)
		if err != nil {
			return nil, err
		}
		pages = append(pages, runbook.Parse(file, string(content)))
	}
	runbook.Sort(pages)
	return pages, nil
}

// completeRunbooks completes the names of jobs and the codes of findings, with
// their titles.
func completeRunbooks(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	pages, err := allRunbooks()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, p := range pages {
		words = append(words, cobra.CompletionWithDesc(p.Name, p.Title))
		if p.Code != "" {
			words = append(words, cobra.CompletionWithDesc(p.Code, p.Title))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// runbookRow is a line of the list and an object of its JSON.
type runbookRow struct {
	format.Header `json:"-"`

	// Code is that of a finding, empty for a job.
	Code  string
	Name  string
	Title string
	// Text is the page, where one is asked for by name.
	Text string `json:",omitempty"`
}

func runbookTable() format.Table {
	return format.Table{
		Default: "table {{.Name}}\t{{.Code}}\t{{.Title}}",
		Quiet:   "{{.Name}}",
		Names:   format.Names{"Code": "CODE", "Name": "NAME", "Title": "TITLE", "Text": "TEXT"},
	}
}
