package commands

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"gotest.tools/v3/assert"
)

func TestConfirm(t *testing.T) {
	for _, tc := range []struct {
		doc      string
		answer   string
		terminal bool
		yes      bool
		want     string // part of the error; empty: none
	}{
		{"yes on the command line", "", false, true, ""},
		{"no terminal", "y\n", false, false, "--yes"},
		{"agreed", "y\n", true, false, ""},
		{"declined", "n\n", true, false, "not confirmed"},
		{"only Enter", "\n", true, false, "not confirmed"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			t.Setenv("DOCKER_CONFIG", t.TempDir())
			cli, err := command.NewDockerCli(command.WithErrorStream(io.Discard), command.WithInputStream(io.NopCloser(strings.NewReader(tc.answer))))
			assert.NilError(t, err)
			cli.In().SetIsTerminal(tc.terminal)
			cli.Err().SetIsTerminal(tc.terminal)
			err = confirmOption{yes: tc.yes}.ask(context.Background(), cli, "This restarts tasks. Continue?")
			if tc.want == "" {
				assert.NilError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, "nothing was changed")
		})
	}
}
