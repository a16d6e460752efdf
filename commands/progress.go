package commands

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// progressOptions is the flag that every waiting command has.
type progressOptions struct{ mode string }

func (o *progressOptions) install(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.mode, "progress", "auto", `Progress on stderr: "auto", "tty", "plain", "json", "quiet"`)
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions([]string{"auto", "tty", "plain", "json", "quiet"}, cobra.ShellCompDirectiveNoFileComp))
}

// open returns the sink for what happens, and a function to call when it is
// over.
func (o *progressOptions) open(dockerCLI command.Cli) (event.Sink, func(), error) {
	p := &lineSink{out: dockerCLI.Err()}
	return p, func() {}, nil
}

type lineSink struct {
	mu   sync.Mutex
	out  io.Writer
	last map[string]string
}

func (p *lineSink) On(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := strings.TrimSpace(text.Clean(e.Object + " " + e.State + " " + e.Detail))
	if p.last == nil {
		p.last = make(map[string]string)
	}
	if p.last[e.Object] == line {
		return
	}
	p.last[e.Object] = line
	_, _ = fmt.Fprintln(p.out, line)
}
