package commands

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// dryRunOption are the flags --dry-run and --format of commands that show a plan
// before they carry it out.
type dryRunOption struct {
	dryRun bool
	format string
}

// install adds the flags. object says of what "json" is, when that is not one
// plan.
func (o *dryRunOption) install(cmd *cobra.Command, dryRun, object string) {
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, dryRun)
	f.StringVar(&o.format, "format", "", `With --dry-run: format of the plan ("json"`+object+`)`)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (o dryRunOption) rules() []flagRule {
	return []flagRule{
		{o.format != "" && !o.dryRun, "--format goes with --dry-run"},
		{o.format != "" && o.format != "json", fmt.Sprintf("--format %q: use \"json\"", o.format)},
	}
}

// flagRule is something that flags must not be together.
type flagRule struct {
	broken bool
	why    string
}

// hold returns one error of all rules that are broken.
func hold(rules ...flagRule) error {
	var wrong []string
	for _, r := range rules {
		if r.broken {
			wrong = append(wrong, r.why)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return problem.Join("the options contradict each other", wrong).WithCode(problem.Usage)
}
