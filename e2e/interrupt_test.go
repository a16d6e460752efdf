//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
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
	// closes is the request, asked for by its number among those like it, with
	// which the manager stops answering; nil when it always answers.
	closes func() func(request string) bool
	// reached tells that the command is in that stage; nil for when the manager
	// has stopped answering.
	reached func(*testing.T, *harness.Swarm, *started) bool
	// after checks what the interruption left.
	after func(*testing.T, *harness.Swarm, *started)
}

// at closes a gate with the first request that begins like that, of those that
// come after another one has passed (empty for none).
func at(passed, request string) func() func(string) bool {
	return func() func(string) bool {
		open := passed != ""
		return func(got string) bool {
			if open {
				open = !strings.HasPrefix(got, passed)
				return false
			}
			return strings.HasPrefix(got, request)
		}
	}
}

// afterSecond closes a gate with the first request after the second that ends
// like that.
func afterSecond(end string) func() func(string) bool {
	return func() func(string) bool {
		seen := 0
		return func(got string) bool {
			if seen == 2 {
				return true
			}
			if strings.HasSuffix(got, end) {
				seen++
			}
			return false
		}
	}
}

// neverHealthy makes tasks that start and never become healthy.
func neverHealthy(more ...string) []string {
	return append([]string{
		"deploy", "--name", "db", "--network", "docknet", "--no-resolve-image",
		"-e", "POSTGRES_PASSWORD=x", "--health-cmd", "false", "--health-start-period", "1h",
	}, more...)
}

func makeDocknet(t *testing.T, s *harness.Swarm) {
	t.Helper()
	s.Swarmnet("create", "docknet").Assert(t, icmd.Success)
}

// deployWeb deploys the service that a later stage updates or removes.
func deployWeb(more ...string) func(*testing.T, *harness.Swarm) {
	return func(t *testing.T, s *harness.Swarm) {
		t.Helper()
		makeDocknet(t, s)
		s.Swarmnet(append(append([]string{"deploy", "--name", "web", "--network", "docknet", "--no-resolve-image"}, more...), "drupal")...).
			Assert(t, icmd.Success)
	}
}

func says(words ...string) func(*testing.T, *harness.Swarm, *started) {
	return func(t *testing.T, _ *harness.Swarm, p *started) {
		t.Helper()
		for _, w := range words {
			assert.Check(t, is.Contains(p.output(), w))
		}
	}
}

func createStages() []stage {
	create := []string{"create", "docknet"}
	none := func(*testing.T, *harness.Swarm) {}
	absent := func(t *testing.T, s *harness.Swarm, _ *started) {
		t.Helper()
		assert.Assert(t, s.Network(t, "docknet") == nil)
	}
	return []stage{
		{name: "create looks", prepare: none, args: create, closes: at("", "GET /networks"), after: absent},
		{
			name: "create asks", prepare: none, args: create, closes: at("", "POST /networks/create"),
			after: says("interrupted while network \"docknet\" was being created", "is not known", "docker swarmnet create"),
		},
		{
			name: "create waits for the allocation", prepare: none, args: create, closes: at("POST /networks/create", "GET /networks"),
			after: func(t *testing.T, s *harness.Swarm, p *started) {
				t.Helper()
				assert.Assert(t, s.Network(t, "docknet") != nil)
				says("interrupted; it exists", "swarmnet rm docknet")(t, s, p)
			},
		},
	}
}

func deployStages() []stage {
	deploy := []string{"deploy", "--name", "web", "--network", "docknet", "--no-resolve-image", "drupal"}
	return []stage{
		{
			name: "deploy looks", prepare: makeDocknet, args: deploy, closes: at("", "GET /services"),
			after: func(t *testing.T, s *harness.Swarm, _ *started) {
				t.Helper()
				assert.Assert(t, s.Service(t, "web") == nil)
			},
		},
		{
			name: "deploy asks", prepare: makeDocknet, args: deploy, closes: at("", "POST /services/create"),
			after: says("interrupted while service \"web\"", "is not known", "docker swarmnet deploy"),
		},
		{
			name:    "deploy waits for its tasks",
			prepare: makeDocknet,
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
				says("docker swarmnet")(t, s, p) // the command to go on
			},
		},
		{
			name: "deploy watches running tasks", prepare: makeDocknet, args: deploy,
			reached: func(_ *testing.T, _ *harness.Swarm, p *started) bool {
				return strings.Contains(p.output(), "verifying")
			},
			after: func(t *testing.T, s *harness.Swarm, p *started) {
				t.Helper()
				assert.Assert(t, s.Service(t, "web") != nil)
				says("interrupted; service \"web\"", "is created and stays so")(t, s, p)
			},
		},
		{
			name: "deploy takes an update back", prepare: deployWeb(), args: slices.Insert(slices.Clone(deploy), len(deploy)-1, "--entrypoint", "/no/such/program"),
			closes: afterSecond("/update"),
			after: func(t *testing.T, s *harness.Swarm, p *started) {
				t.Helper()
				says("Interrupted while it was being taken back", "restored to what it was")(t, s, p)
				assert.Check(t, is.Len(s.Service(t, "web").Spec.TaskTemplate.ContainerSpec.Command, 0))
			},
		},
	}
}

func rmStages() []stage {
	kept := func(t *testing.T, s *harness.Swarm, _ *started) {
		t.Helper()
		assert.Assert(t, s.Network(t, "docknet") != nil)
	}
	rm := []string{"rm", "docknet"}
	return []stage{
		{name: "rm looks", prepare: makeDocknet, args: rm, closes: at("", "GET /networks"), after: kept},
		{
			name: "rm waits for tasks to end",
			prepare: func(t *testing.T, s *harness.Swarm) {
				t.Helper()
				// A signal it ignores: the task ends 10 s after its removal.
				deployWeb("--stop-signal", "SIGWINCH", "--stop-grace-period", "10s")(t, s)
				s.Docker("service", "rm", "web").Assert(t, icmd.Success)
			},
			args:    rm,
			reached: func(_ *testing.T, _ *harness.Swarm, p *started) bool { return strings.Contains(p.output(), "docknet") },
			after:   kept,
		},
	}
}

// TestInterrupt interrupts each stage in one way, and the one that people wait
// in most in all ways.
func TestInterrupt(t *testing.T) {
	all := interruptions()
	for i, st := range slices.Concat(createStages(), deployStages(), rmStages()) {
		ways := all[i%len(all):][:1]
		if st.name == "deploy waits for its tasks" {
			ways = all
		}
		for _, in := range ways {
			t.Run(st.name+"/"+in.doc, func(t *testing.T) {
				s := usual(t)
				s.Load(t, "image-postgres")
				s.Load(t, "image-webapp")
				st.prepare(t, s)
				c := s.Command(append([]string{"swarmnet"}, st.args...)...)
				reached := st.reached
				if st.closes != nil {
					gate := s.Gate(t, st.closes())
					c = gate.Command(c)
					reached = func(*testing.T, *harness.Swarm, *started) bool { return gate.Closed() }
				}
				p := start(t, c, in.terminal)
				eventually(t, s, func() poll.Result {
					select {
					case <-p.done:
						return poll.Error(errors.New("ended before it was interrupted: " + p.output()))
					default:
					}
					if !reached(t, s, p) {
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
