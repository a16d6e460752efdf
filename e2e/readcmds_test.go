//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

const demoImage = "swarmnet/demo"

// docknet makes an attachable network with docker itself, and has the demo
// image on every node, so that what is read does not depend on what the
// plugin writes.
func docknet(t *testing.T) *harness.Swarm {
	t.Helper()
	s := usual(t)
	s.Load(t, demoImage)
	s.Docker("network", "create", "-d", "overlay", "--attachable", "--subnet", "10.90.1.0/24",
		"--label", "team=web", "docknet").Assert(t, icmd.Success)
	return s
}

// service makes one with docker itself and waits for its tasks.
func service(t *testing.T, s *harness.Swarm, name string, tasks int, flags ...string) []swarm.Task {
	t.Helper()
	args := append([]string{"service", "create", "-d", "--name", name, "--network", "docknet", "--no-resolve-image"}, flags...)
	s.Docker(append(args, demoImage)...).Assert(t, icmd.Success)
	return s.WaitRunning(t, name, tasks)
}

// ok runs docker swarmnet, which must end with 0, and returns its stdout.
func ok(t *testing.T, s *harness.Swarm, args ...string) string {
	t.Helper()
	r := s.Swarmnet(args...)
	r.Assert(t, icmd.Success)
	return r.Stdout()
}

func TestLs(t *testing.T) {
	s := docknet(t)
	id := s.Network(t, "docknet").ID

	assert.Equal(t, ok(t, s, "ls", "--format", "{{.Name}}"), "docknet\ningress\n")
	all := ok(t, s, "ls", "-a", "--format", "{{.Name}}")
	for _, name := range []string{"docker_gwbridge", "bridge", "host", "none"} {
		assert.Check(t, is.Contains(strings.Fields(all), name))
	}
	assert.Equal(t, ok(t, s, "ls", "-q", "--no-trunc", "-f", "name=docknet"), id+"\n")
	assert.Equal(t, ok(t, s, "ls", "-f", "name=docknet", "--format", "{{.Subnet}}"), "10.90.1.0/24\n")

	for _, line := range strings.Split(strings.TrimSpace(ok(t, s, "ls", "--format", "json")), "\n") {
		var row struct{ ID, Name string }
		assert.NilError(t, json.Unmarshal([]byte(line), &row), line)
		assert.Check(t, row.ID != "" && row.Name != "", line)
	}

	for filter, want := range map[string]string{
		"label=team=web": "docknet\n",
		"label=team=db":  "",
		"dangling=true":  "docknet\n",
	} {
		assert.Check(t, is.Equal(ok(t, s, "ls", "-f", filter, "--format", "{{.Name}}"), want), filter)
	}
	service(t, s, "web", 1)
	assert.Equal(t, ok(t, s, "ls", "-f", "dangling=true", "--format", "{{.Name}}"), "")

	s.Swarmnet("ls", "-f", "colour=red").Assert(t, icmd.Expected{ExitCode: 125, Err: "colour"})
	assert.Check(t, s.Swarmnet("ls", "--format", "{{.Nonsense}}").ExitCode != 0)
}

func TestInspect(t *testing.T) {
	s := docknet(t)
	service(t, s, "web", 2, "--replicas", "2")

	var got []struct {
		ID       string `json:"Id"`
		Swarmnet struct{ Members []struct{ Name, Kind string } }
	}
	assert.NilError(t, json.Unmarshal([]byte(ok(t, s, "inspect", "docknet")), &got))
	assert.Equal(t, len(got), 1)
	assert.Equal(t, got[0].ID, s.Network(t, "docknet").ID)
	kinds := map[string]int{}
	for _, m := range got[0].Swarmnet.Members {
		kinds[m.Kind]++
	}
	assert.Equal(t, kinds["service"], 1)
	assert.Equal(t, kinds["task"], 2)

	pretty := ok(t, s, "inspect", "--pretty", "docknet")
	for _, want := range []string{"10.90.1.0/24", "team=web", "web"} {
		assert.Check(t, is.Contains(pretty, want))
	}

	r := s.Swarmnet("inspect", "nope")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: `"nope"`})
	assert.Check(t, is.Contains(r.Stderr(), s.Context), "the error names the context")
}

// TestPsEverybody: services with their tasks on every node, and the container
// that docker run put on the network of another node than the one asked.
func TestPsEverybody(t *testing.T) {
	s := docknet(t)
	net := s.Network(t, "docknet").ID
	tasks := append(service(t, s, "web", 2, "--replicas", "2"), service(t, s, "everywhere", 3, "--mode", "global")...)
	worker := s.Nodes[2]
	worker.Docker("run", "-d", "--name", "guest", "--network", "docknet", demoImage).Assert(t, icmd.Success)

	out := ok(t, s, "ps", "--format", "{{.Kind}} {{.Name}} {{.Address}} {{.Node}}", "docknet")
	for _, task := range tasks {
		assert.Check(t, is.Contains(out, " "+addressAndNode(t, s, task, net)))
	}
	for _, name := range []string{"web", "everywhere"} {
		vip := ""
		for _, v := range s.Service(t, name).Endpoint.VirtualIPs {
			if v.NetworkID == net {
				vip, _, _ = strings.Cut(v.Addr, "/")
			}
		}
		assert.Check(t, is.Contains(out, "service "+name+" "+vip+" "))
	}
	guest := strings.TrimSpace(worker.Docker("inspect", "--format",
		"{{.NetworkSettings.Networks.docknet.IPAddress}}", "guest").Stdout())
	assert.Assert(t, guest != "")
	assert.Check(t, is.Contains(out, guest+" "+worker.Name), "the container of docker run")
}

// addressAndNode is how a task appears in "{{.Address}} {{.Node}}".
func addressAndNode(t *testing.T, s *harness.Swarm, task swarm.Task, net string) string {
	t.Helper()
	return harness.AddressOn(task, net).String() + " " + s.NodeOf(t, task).Name
}

func TestPsStoppedNode(t *testing.T) {
	s := docknet(t)
	service(t, s, "everywhere", 3, "--mode", "global")
	gone := s.Nodes[1]
	s.Fault(t, gone, "stop")
	s.WaitNode(t, gone, swarm.NodeStateDown)
	out := ok(t, s, "ps", "docknet")
	assert.Check(t, is.Contains(out, s.Nodes[2].Name), "what runs elsewhere is still told")
	assert.Check(t, is.Contains(out, "everywhere"))
}

func TestRmInUse(t *testing.T) {
	s := docknet(t)
	service(t, s, "web", 1)
	worker := s.Nodes[2]
	worker.Docker("run", "-d", "--name", "guest", "--network", "docknet", demoImage).Assert(t, icmd.Success)

	r := s.Swarmnet("rm", "docknet")
	assert.Assert(t, s.Network(t, "docknet") != nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: `"web"`})
	for _, want := range []string{"docker service rm web", worker.Name, s.Context} {
		assert.Check(t, is.Contains(r.Stderr(), want))
	}
	assert.Equal(t, r.Stdout(), "")
}

// TestRmWaits: the container ignores its stop signal and ends when the grace
// period is over. Until then the network stays.
func TestRmWaits(t *testing.T) {
	s := docknet(t)
	service(t, s, "slow", 1, "--stop-signal", "SIGWINCH", "--stop-grace-period", "5s")
	s.Docker("service", "rm", "slow").Assert(t, icmd.Success)

	r := s.Swarmnet("rm", "--timeout", "1s", "docknet")
	assert.Assert(t, s.Network(t, "docknet") != nil, "it went before its last task")
	r.Assert(t, icmd.Expected{ExitCode: 3, Err: "not free in time"})

	assert.Equal(t, ok(t, s, "rm", "docknet"), "docknet\n")
	assert.Assert(t, s.Network(t, "docknet") == nil)
}

func TestRmUnknown(t *testing.T) {
	s := usual(t)
	s.Swarmnet("rm", "nope").Assert(t, icmd.Expected{ExitCode: 1, Err: `"nope"`})
	ok(t, s, "rm", "--force", "nope")

	s.Swarmnet("rm", "ingress").Assert(t, icmd.Expected{ExitCode: 1, Err: "routing mesh"})
	assert.Assert(t, s.Network(t, "ingress") != nil)
}

func TestPortsFormats(t *testing.T) {
	s := usual(t)
	for _, args := range [][]string{
		{"ports", "--no-trunc"},
		{"ports", "--as", "ufw"},
		{"ports", "--as", "firewalld"},
		{"ports", "--as", "nftables"},
		{"ports", "--as", "iptables"},
	} {
		out := ok(t, s, args...)
		for _, want := range []string{"2377", "7946", "4789", s.Nodes[0].Address} {
			assert.Check(t, is.Contains(out, want), "%v", args)
		}
	}
	assert.Check(t, is.Contains(ok(t, s, "ports", "--format", "{{.Port}}/{{.Protocol}}"), "4789/udp\n"))
	assert.Check(t, s.Swarmnet("ports", "--as", "pf").ExitCode != 0)
	s.Swarmnet("ports", "--format", "{{.Nonsense").Assert(t, icmd.Expected{ExitCode: 1})
}

// TestHostileText: labels and errors are written by whoever writes to the
// swarm. Nothing of them may move a reader's cursor.
func TestHostileText(t *testing.T) {
	s := usual(t)
	s.Load(t, demoImage)
	const hostile = "\x1b]0;owned\a\x1b[2J\r\u202e"
	_, err := s.API.NetworkCreate(context.Background(), "docknet", network.CreateOptions{
		Driver: "overlay", Attachable: true, Labels: map[string]string{"note": hostile},
	})
	assert.NilError(t, err)
	s.Docker("service", "create", "-d", "--name", "bad", "--network", "docknet", "--no-resolve-image",
		"--restart-condition", "none", "--entrypoint", hostile, demoImage).Assert(t, icmd.Success)
	eventually(t, s, func() poll.Result {
		for _, task := range s.Tasks(t, "bad", true) {
			if task.Status.Err != "" {
				return poll.Success()
			}
		}
		return poll.Continue("no task has failed yet")
	})
	for _, args := range [][]string{{"ls"}, {"ps", "-a", "--no-trunc", "docknet"}, {"inspect", "--pretty", "docknet"}} {
		r := s.Swarmnet(args...)
		r.Assert(t, icmd.Success)
		want := "bad"
		if args[0] == "ls" {
			want = "docknet"
		}
		assert.Check(t, is.Contains(r.Stdout(), want), "%v", args)
		for _, c := range r.Combined() {
			assert.Check(t, c == '\n' || !unicode.IsControl(c) && !unicode.Is(unicode.Cf, c), "%v prints %U", args, c)
		}
	}
}
