package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const generated = "<!-- Generated from the commands by \"make docs\". Do not edit. -->\n\n"

// pages returns the page of a command and of everything under it, by file
// name. The page of the top command is README.md.
func pages(top *cobra.Command) map[string][]byte {
	out := map[string][]byte{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		out[fileName(top, cmd)] = []byte(page(top, cmd))
		for _, sub := range visible(cmd) {
			visit(sub)
		}
	}
	visit(top)
	return out
}

// fileName is "sandbox_up.md" for "docker swarmnet sandbox up".
func fileName(top, cmd *cobra.Command) string {
	if cmd == top {
		return "README.md"
	}
	path := strings.TrimPrefix(cmd.CommandPath(), top.CommandPath()+" ")
	return strings.ReplaceAll(path, " ", "_") + ".md"
}

// visible returns the subcommands that a user is told of, sorted by name.
func visible(cmd *cobra.Command) []*cobra.Command {
	var subs []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			subs = append(subs, sub)
		}
	}
	return subs
}

func page(top, cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generated)
	fmt.Fprintf(&b, "# %s\n\n%s\n", cmd.CommandPath(), cmd.Short)

	section(&b, "Usage", fence(usage(cmd)))
	if len(cmd.Aliases) > 0 {
		section(&b, "Aliases", fence(strings.Join(aliases(cmd), ", ")))
	}
	section(&b, "Description", strings.TrimSpace(cmd.Long))
	section(&b, "Commands", commandTable(top, cmd))
	section(&b, "Options", optionTable(cmd.NonInheritedFlags()))
	section(&b, "Inherited options", optionTable(cmd.InheritedFlags()))
	if cmd.Example != "" {
		section(&b, "Examples", "```sh\n"+dedent(cmd.Example)+"\n```")
	}
	if cmd == top {
		section(&b, "See also", "[Exit codes and errors](../errors.md) · [Runbooks](../runbooks/)")
	}
	return b.String()
}

func section(b *strings.Builder, title, body string) {
	if body != "" {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", title, body)
	}
}

func fence(text string) string { return "```text\n" + text + "\n```" }

// usage is the line of use as docker prints it: cobra would add "[flags]".
func usage(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && !strings.Contains(cmd.Use, " ") {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.Parent().CommandPath() + " " + cmd.Use
}

func aliases(cmd *cobra.Command) []string {
	paths := []string{cmd.CommandPath()}
	for _, alias := range cmd.Aliases {
		paths = append(paths, cmd.Parent().CommandPath()+" "+alias)
	}
	return paths
}

func commandTable(top, cmd *cobra.Command) string {
	subs := visible(cmd)
	if len(subs) == 0 {
		return ""
	}
	lines := []string{"| Command | Description |", "|---|---|"}
	for _, sub := range subs {
		lines = append(lines, fmt.Sprintf("| [`%s`](%s) | %s |", sub.CommandPath(), fileName(top, sub), cell(sub.Short)))
	}
	return strings.Join(lines, "\n")
}

func optionTable(flags *pflag.FlagSet) string {
	var rows []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" && f.Name != "help" {
			rows = append(rows, optionRow(f))
		}
	})
	if len(rows) == 0 {
		return ""
	}
	return "| Option | Type | Default | Description |\n|---|---|---|---|\n" + strings.Join(rows, "\n")
}

func optionRow(f *pflag.Flag) string {
	name := "`--" + f.Name + "`"
	if f.Shorthand != "" && f.ShorthandDeprecated == "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	kind, description := pflag.UnquoteUsage(f)
	if kind == "" {
		kind = f.Value.Type()
	}
	// Docker's own flags carry the API version from which an engine knows them.
	if version := f.Annotations["version"]; len(version) == 1 {
		description += " (API " + version[0] + "+)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", name, code(kind), code(shownDefault(f)), cell(description))
}

// shownDefault is empty where a default says nothing.
func shownDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "[]", "<nil>", "false":
		return ""
	}
	return f.DefValue
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell makes a text fit into a cell of a Markdown table.
func cell(s string) string {
	s = strings.ReplaceAll(s, "|", `\|`)
	return strings.Join(strings.Fields(s), " ")
}

// dedent takes away the indentation that all lines of an example share.
func dedent(s string) string {
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	shared := -1
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " \t"); trimmed != "" {
			if indent := len(l) - len(trimmed); shared < 0 || indent < shared {
				shared = indent
			}
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(l[min(max(shared, 0), len(l)):], " \t")
	}
	return strings.Join(lines, "\n")
}
