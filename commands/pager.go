package commands

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/docker/cli/cli/command"
)

// showPage prints a text of many lines, on a terminal through a pager.
func showPage(ctx context.Context, dockerCLI command.Cli, page string) error {
	if dockerCLI.Out().IsTerminal() {
		if words := pager(os.Getenv("PAGER")); len(words) > 0 {
			return runPager(ctx, words, page)
		}
	}
	_, err := fmt.Fprint(dockerCLI.Out(), page)
	return err
}

// pager returns the words of the command that shows a text, none when there is
// no such program. They are the words of PAGER, which no shell takes apart.
func pager(variable string) []string {
	words := strings.Fields(variable)
	if len(words) == 0 {
		words = []string{"less", "-R"}
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil
	}
	return append([]string{path}, words[1:]...)
}

// runPager shows a text in a pager. Ctrl-C is the pager's: less goes on, and
// so do we until it ends.
func runPager(ctx context.Context, words []string, page string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(page)
	// The terminal itself and not a pipe to it, or the pager would not be one.
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if os.Getenv("LESS") == "" {
		// As git has it: a page that fits on the screen is left there.
		cmd.Env = append(cmd.Env, "LESS=FRX")
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("show the page with %q: %w", strings.Join(words, " "), err)
	}
	return nil
}
