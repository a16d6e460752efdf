//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// A started command is one that the test interrupts.
type started struct {
	cmd *exec.Cmd
	tty *os.File // nil when it writes to pipes

	mu  sync.Mutex
	out bytes.Buffer // stdout and stderr

	done chan struct{} // closed when it has ended
	code int
}

func (p *started) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *started) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start runs a docker command, on a terminal of its own or with its output in
// pipes, as in a script.
func start(t *testing.T, c icmd.Cmd, terminal bool) *started {
	t.Helper()
	p := &started{cmd: exec.Command(c.Command[0], c.Command[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(c.Env, "TERM=xterm")
	copied := make(chan struct{})
	if terminal {
		tty, err := pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 40, Cols: 120})
		assert.NilError(t, err)
		p.tty = tty
		go func() {
			_, _ = io.Copy(p, tty) // ends with EIO when the last process has closed the terminal
			close(copied)
		}()
	} else {
		p.cmd.Stdout, p.cmd.Stderr = p, p
		assert.NilError(t, p.cmd.Start())
		close(copied)
	}
	go func() {
		var exit *exec.ExitError
		if err := p.cmd.Wait(); errors.As(err, &exit) {
			p.code = exit.ExitCode()
		}
		<-copied
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if p.tty != nil {
			_ = p.tty.Close()
		}
		if t.Failed() {
			t.Logf("docker %s\n%s", strings.Join(c.Command[1:], " "), p.output())
		}
	})
	return p
}

// end waits until the command has ended and returns its exit code.
func (p *started) end(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatalf("still running %s later:\n%s", limit, p.output())
	}
	return p.code
}

// An interruption is one way a person or a script ends a command.
type interruption struct {
	doc      string
	terminal bool
	send     func(*started) error
}

func interruptions() []interruption {
	return []interruption{
		{"Ctrl-C on a terminal", true, func(p *started) error {
			_, err := p.tty.Write([]byte{3}) // the terminal's interrupt character
			return err
		}},
		{"INT through a pipe", false, func(p *started) error { return p.cmd.Process.Signal(os.Interrupt) }},
		{"TERM through a pipe", false, func(p *started) error { return p.cmd.Process.Signal(syscall.SIGTERM) }},
	}
}

// A stage is a moment of a command's life in which it can be interrupted.
type stage struct {
	name    string
	prepare func(*testing.T, *harness.Swarm)
	args    []string
	// reached tells that the command is in that stage.
	reached func(*testing.T, *harness.Swarm, *started) bool
	// after checks what the interruption left.
	after func(*testing.T, *harness.Swarm, *started)
}

// neverHealthy makes tasks that start and never become healthy.
func neverHealthy(more ...string) []string {
	return append([]string{
		"deploy", "--name", "db", "--network", "docknet", "--no-resolve-image",
		"-e", "POSTGRES_PASSWORD=x", "--health-cmd", "false", "--health-start-period", "1h",
	}, more...)
}

func stages() []stage {
	docknet := func(t *testing.T, s *harness.Swarm) {
		t.Helper()
		s.Swarmnet("create", "docknet").Assert(t, icmd.Success)
	}
	return []stage{
		{
			name:    "deploy waits for its tasks",
			prepare: docknet,
			args:    neverHealthy("postgres"),
			reached: func(t *testing.T, s *harness.Swarm, _ *started) bool {
				t.Helper()
				if s.Service(t, "db") == nil {
					return false
				}
				for _, task := range s.Tasks(t, "db", false) {
					if task.Status.State == swarm.TaskStateStarting {
						return true
					}
				}
				return false
			},
			after: func(t *testing.T, s *harness.Swarm, p *started) {
				t.Helper()
				assert.Assert(t, s.Service(t, "db") != nil, "an interrupted wait leaves the service")
				assert.Check(t, is.Contains(p.output(), "docker swarmnet"), "it names the command to go on")
			},
		},
		{
			name: "rm waits for tasks to end",
			prepare: func(t *testing.T, s *harness.Swarm) {
				t.Helper()
				docknet(t, s)
				// A signal it ignores: the task ends 30 s after its removal.
				s.Swarmnet("deploy", "--name", "slow", "--network", "docknet", "--no-resolve-image",
					"--stop-signal", "SIGWINCH", "--stop-grace-period", "30s", "drupal").Assert(t, icmd.Success)
				s.Docker("service", "rm", "slow").Assert(t, icmd.Success)
			},
			args: []string{"rm", "docknet"},
			reached: func(_ *testing.T, _ *harness.Swarm, p *started) bool {
				return strings.Contains(p.output(), "docknet")
			},
			after: func(t *testing.T, s *harness.Swarm, _ *started) {
				t.Helper()
				assert.Assert(t, s.Network(t, "docknet") != nil)
			},
		},
	}
}

func TestInterrupt(t *testing.T) {
	for _, st := range stages() {
		for _, in := range interruptions() {
			t.Run(st.name+"/"+in.doc, func(t *testing.T) {
				s := usual(t)
				s.Load(t, "image-postgres")
				s.Load(t, "image-webapp")
				st.prepare(t, s)
				p := start(t, s.Command(append([]string{"swarmnet"}, st.args...)...), in.terminal)
				eventually(t, s, func() poll.Result {
					select {
					case <-p.done:
						return poll.Error(errors.New("ended before it was interrupted: " + p.output()))
					default:
					}
					if !st.reached(t, s, p) {
						return poll.Continue("stage %q not reached: %s", st.name, p.output())
					}
					return poll.Success()
				})
				assert.NilError(t, in.send(p))
				assert.Equal(t, p.end(t, 10*time.Second), 130, p.output())
				st.after(t, s, p)
			})
		}
	}
}
