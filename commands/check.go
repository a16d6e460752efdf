package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/completion"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/format"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

type checkOptions struct {
	networks []string
	only     []string
	ignore   []string
	failOn   string
	format   string
	all      bool
	list     bool
	contexts contextsOption
}

// junitFormat and never are words of "check" alone.
const (
	junitFormat = "junit"
	never       = "never"
)

func newCheckCommand(dockerCLI command.Cli) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [OPTIONS] [NETWORK...]",
		Short: "Look for what is wrong with the swarm and its networks, and say what to do",
		Long: `Look for what is wrong with the swarm, its networks and the services on them, from what
its manager tells: nothing is started, changed or probed. Every finding has a code with a
runbook, and the command to type next. With NETWORK, only what touches these networks.

Errors are what does not work, warnings what works and will not, or not for everybody,
notes matters of style or choice; notes are counted, and shown with --all. What could not
be told is told with --all too, with the reason.

The exit code is 2 when something is found that is as bad as --fail-on says, 1 when a
context does not answer, in all formats. What shall never be reported can be kept in
docker's config.json, as "plugins": {"swarmnet": {"ignore": "SN104,SN310=staging_*"}}.`,
		Example: `  # The swarm of this context
  docker swarmnet check

  # What touches one network, notes too
  docker swarmnet check --all docknet

  # Several swarms, as a report for a CI server
  docker swarmnet check --contexts east,west --fail-on warning --format junit

  # Without what is meant to be so
  docker swarmnet check --ignore SN104 --ignore SN310=staging_*

  # The codes there are
  docker swarmnet check --list`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.networks = args
			return runCheck(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: completeNetworks(dockerCLI, 0),
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.only, "only", nil, "Codes, names or groups of rules to look for, and no others")
	f.StringSliceVar(&o.ignore, "ignore", nil, `Codes not to report, for one object with "CODE=OBJECT"`)
	f.StringVar(&o.failOn, "fail-on", string(check.Error), `Least severity of a finding that makes the exit code 2 ("error", "warning", "note", "never")`)
	f.StringVar(&o.format, "format", "", `Print as "table", "json" (an object a line), "junit", or with a Go template`)
	f.BoolVarP(&o.all, "all", "a", false, "Show notes and what could not be told too")
	f.BoolVar(&o.list, "list", false, "List the rules instead of looking at a swarm")
	o.contexts.accept = checkable
	o.contexts.install(cmd, dockerCLI)
	_ = cmd.RegisterFlagCompletionFunc("only", completeCodes)
	_ = cmd.RegisterFlagCompletionFunc("ignore", completeCodes)
	_ = cmd.RegisterFlagCompletionFunc("fail-on", completion.FromList(failOnWords()...))
	_ = cmd.RegisterFlagCompletionFunc("format", completion.FromList("table", "json", junitFormat))
	return cmd
}

func failOnWords() []string {
	var out []string
	for _, s := range check.Severities() {
		out = append(out, string(s))
	}
	return append(out, never)
}

func completeCodes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, r := range check.Rules() {
		out = append(out, r.Code+"\t"+r.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// checkable says what keeps a snapshot from being judged at all. That the
// engine is in no swarm, or its swarm has no leader, is a finding; a worker
// knows nothing to judge.
func checkable(s *swarm.Snapshot) error {
	if s.Cluster.State == swarm.StateActive && !s.Cluster.Manager {
		return engine.RequireManager(s)
	}
	return nil
}

// verdict is the result of "check".
type verdict struct {
	looks   *looks
	report  check.Report
	ignored int
	// failOn is the least severity that counts, "" for none.
	failOn check.Severity
	took   time.Duration
}

func runCheck(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o checkOptions) error {
	rules, err := check.Choose(o.only)
	if err != nil {
		return err
	}
	if o.list {
		return listRules(dockerCLI, o.format, rules)
	}
	if !slices.Contains(failOnWords(), o.failOn) {
		return problem.New("--fail-on %q is not a severity", o.failOn).
			WithNext("Use one of %s.", strings.Join(failOnWords(), ", ")).WithCode(problem.Usage)
	}
	ignores, err := o.ignores(dockerCLI)
	if err != nil {
		return err
	}
	v := verdict{}
	if o.failOn != never {
		v.failOn = check.Severity(o.failOn)
	}
	began := time.Now()
	v.looks, err = o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		if o.format == junitFormat && ctx.Err() == nil {
			// A CI server that finds no report says nothing of the reason.
			failed := &looks{failed: []failedContext{{dockerCLI.CurrentContext(), err}}}
			_ = format.WriteJUnit(dockerCLI.Out(), verdict{looks: failed}.suites(nil))
		}
		return err
	}
	if slices.ContainsFunc(rules, func(r check.Rule) bool { return slices.Contains(r.Reads, check.ReadsStatus) }) {
		if err := v.looks.readReported(ctx, dockerCLI, false); err != nil {
			return err
		}
	}
	ids, err := o.chosen(v.looks)
	if err != nil {
		return err
	}
	v.report, v.ignored = check.Run(inputOf(v.looks), rules).Without(ignores)
	if ids != nil {
		v.report = v.report.Touching(ids)
	}
	v.took = time.Since(began)
	if err := v.write(dockerCLI, o, rules); err != nil {
		return err
	}
	return v.exit(o.format)
}

// ignores are those of the command line and of docker's config.json.
func (o checkOptions) ignores(dockerCLI command.Cli) ([]check.Ignore, error) {
	words := o.ignore
	kept, _ := dockerCLI.ConfigFile().PluginConfig(metadata.Name, "ignore")
	for _, w := range strings.Split(kept, ",") {
		if strings.TrimSpace(w) != "" {
			words = append(words, w)
		}
	}
	var out []check.Ignore
	for _, w := range words {
		i, err := check.ParseIgnore(w)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// chosen returns the IDs of the networks named, nil where none is. Each must
// be in one of the swarms.
func (o checkOptions) chosen(l *looks) (map[string]bool, error) {
	if len(o.networks) == 0 {
		return nil, nil
	}
	ids := map[string]bool{}
	for _, ref := range o.networks {
		var missing error
		found := false
		for _, at := range l.swarms {
			n, err := oneNetwork(at.s, ref)
			if err != nil {
				missing = err
				continue
			}
			ids[n.ID], found = true, true
		}
		if !found && missing != nil {
			return nil, missing
		}
	}
	return ids, nil
}

func inputOf(l *looks) check.Input {
	in := check.Input{Kernels: map[string]check.Kernel{}}
	for _, at := range l.swarms {
		in.Snapshots = append(in.Snapshots, at.s)
		if has, known := at.engine.IPVS(at.s); known {
			in.Kernels[at.s.Context] = check.Kernel{IPVS: has}
		}
	}
	return in
}

func (v verdict) write(dockerCLI command.Cli, o checkOptions, rules []check.Rule) error {
	switch o.format {
	case "", formatter.TableFormatKey:
		return v.writeTable(dockerCLI, o.all)
	case junitFormat:
		return format.WriteJUnit(dockerCLI.Out(), v.suites(rules))
	}
	return checkTable().Write(dockerCLI.Out(), o.format, false, v.rows(o.format == formatter.JSONFormatKey))
}

// exit is the exit code, the same in all formats: contexts that did not answer
// come first, since nothing is known of them; then what was found; then what
// an engine that did answer would not tell.
func (v verdict) exit(userFormat string) error {
	shown := userFormat == "" || userFormat == formatter.TableFormatKey || userFormat == formatter.JSONFormatKey || userFormat == junitFormat
	if err := v.looks.err(shown); err != nil {
		return err
	}
	if v.failOn != "" && v.report.Worst(v.failOn) {
		return problem.Silent(problem.Findings)
	}
	var unread []string
	for _, at := range v.looks.swarms {
		for _, u := range at.s.Unread {
			unread = append(unread, fmt.Sprintf("the %s of context %q: %s", u.What, at.s.Context, reason(u.Err)))
		}
	}
	if len(unread) > 0 {
		return problem.Join("could not read", unread)
	}
	return nil
}
