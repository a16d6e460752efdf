package commands

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"gotest.tools/v3/assert"
)

func TestCompletion(t *testing.T) {
	f := newFakeEngine()
	f.networks = append(f.networks, network.Summary{ID: "1", Name: "docknet", Scope: "swarm", Driver: "overlay"},
		network.Summary{ID: "2", Name: "evil\x1b[2J", Scope: "swarm", Driver: "overlay"})
	for _, tc := range []struct {
		doc  string
		args []string
		want string
	}{
		{"overlay networks, local ones not", []string{"rm", ""}, "ingress docknet :4"},
		{"those on the line not again", []string{"rm", "docknet", ""}, "ingress :4"},
		{"no more than the command takes", []string{"ps", "docknet", ""}, ":4"},
		{"overlay networks for a service", []string{"deploy", "--network", ""}, "ingress docknet :4"},
		{"firewalls", []string{"ports", "--as", ""}, "table ufw firewalld nftables iptables :4"},
		{"nothing, and no files", []string{"version", ""}, ":4"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			out, _, err := run(t, f, append([]string{"__complete"}, tc.args...)...)
			assert.NilError(t, err)
			assert.Equal(t, strings.Join(strings.Fields(out), " "), tc.want)
		})
	}
}

func TestCompletionIsSilentOnErrors(t *testing.T) {
	f := newFakeEngine()
	f.down = errDown
	out, errs, err := run(t, f, "__complete", "rm", "")
	assert.NilError(t, err)
	assert.Equal(t, out, ":4\n")
	assert.Equal(t, strings.TrimSpace(strings.ReplaceAll(errs, "Completion ended with directive: ShellCompDirectiveNoFileComp", "")), "")
}
