package cliplugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/docker/cli/cli"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestStandalone(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"docker-swarmnet", "docker-swarmnet swarmnet"},
		{"docker-swarmnet ls", "docker-swarmnet swarmnet ls"},
		{"docker-swarmnet ls -a", "docker-swarmnet swarmnet ls -a"},
		{"docker-swarmnet -c prod ls", "docker-swarmnet -c prod swarmnet ls"},
		{"docker-swarmnet --context=prod ls", "docker-swarmnet --context=prod swarmnet ls"},
		{"docker-swarmnet -D -H tcp://h:2376 --tls ls -q", "docker-swarmnet -D -H tcp://h:2376 --tls swarmnet ls -q"},
		{"docker-swarmnet --config /tmp/c -l debug ls", "docker-swarmnet --config /tmp/c -l debug swarmnet ls"},
		// After the verb, flags are the verb's own.
		{"docker-swarmnet deploy -c stack.yml", "docker-swarmnet swarmnet deploy -c stack.yml"},
		{"docker-swarmnet deploy --network docknet alpine ls -l", "docker-swarmnet swarmnet deploy --network docknet alpine ls -l"},
		// What is no global flag is left to the plugin, which says what is wrong.
		{"docker-swarmnet --bogus ls", "docker-swarmnet swarmnet --bogus ls"},
		{"docker-swarmnet --help", "docker-swarmnet swarmnet --help"},
		{"docker-swarmnet -c", "docker-swarmnet swarmnet -c"},
		{"docker-swarmnet -c prod", "docker-swarmnet -c prod swarmnet"},
		{"docker-swarmnet __complete l", "docker-swarmnet __complete swarmnet l"},
		{"docker-swarmnet __completeNoDesc rm n", "docker-swarmnet __completeNoDesc swarmnet rm n"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			in := strings.Fields(tc.in)
			assert.Check(t, is.DeepEqual(standalone(in), strings.Fields(tc.want)))
			assert.Check(t, is.DeepEqual(in, strings.Fields(tc.in)), "the arguments of the process stay as they are")
		})
	}
}

func TestExitCode(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		err  error
		want int
	}{
		{"any error", errors.New("broken"), problem.Failed},
		{"problem without code", problem.New("broken"), problem.Failed},
		{"problem", problem.New("broken").WithCode(problem.RolledBack), problem.RolledBack},
		{"wrapped problem", fmt.Errorf("deploy: %w", problem.New("late").WithCode(problem.TimedOut)), problem.TimedOut},
		{"silent", problem.Silent(problem.Findings), problem.Findings},
		{"wrong flag", cli.StatusError{StatusCode: 125, Status: "unknown flag"}, problem.Usage},
		{"status error without code", cli.StatusError{Status: "broken"}, problem.Failed},
		{"interrupted", context.Canceled, problem.Interrupted},
		{"interrupted while looking", fmt.Errorf("list nodes: %w", context.Canceled), problem.Interrupted},
		{"interrupted, told as a problem", &problem.Error{Msg: "stopped", Err: context.Canceled}, problem.Interrupted},
		{"failed to roll back while interrupted", &problem.Error{Msg: "stopped", Code: problem.RollbackFailed, Err: context.Canceled}, problem.RollbackFailed},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			assert.Check(t, is.Equal(exitCode(tc.err), tc.want))
		})
	}
}

func TestReport(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		err  error
		code int
		text string
	}{
		{"done", nil, 0, ""},
		{"silent codes print nothing", problem.Silent(problem.Findings), 2, ""},
		{"silent status prints nothing", cli.StatusError{StatusCode: 7}, 7, ""},
		{
			"next command after an empty line", problem.New("no such network %q", "docknet").WithNext("docker swarmnet ls"), 1,
			"no such network \"docknet\"\n\ndocker swarmnet ls\n",
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			var stderr bytes.Buffer
			assert.Check(t, is.Equal(report(&stderr, tc.err), tc.code))
			assert.Check(t, is.Equal(stderr.String(), tc.text))
		})
	}
}

// asPlugin makes this test's program the plugin.
const asPlugin = "SWARMNET_TEST_AS_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		os.Exit(Main(os.Args))
	}
	os.Exit(m.Run())
}

// The handshake that package metadata answers by itself says what docker/cli's
// framework says.
func TestHandshake(t *testing.T) {
	answer := func(args ...string) string {
		cmd := icmd.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asPlugin+"=1", "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND=docker")
		r := icmd.RunCmd(cmd)
		r.Assert(t, icmd.Success)
		return r.Stdout()
	}
	assert.Equal(t, answer("docker-cli-plugin-metadata"), answer("--debug", "docker-cli-plugin-metadata"))
}
