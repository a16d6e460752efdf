//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// An answer is what the web application says (e2e/webapp).
type answer struct {
	Hostname        string
	Resolved        []string
	DatabaseAddress string
	Rows            []struct {
		ID       int64
		Hostname string
	}
	Error string
}

// seed is the scenario that the project was asked for: a network, a database
// and a web application on it that reads from the database by name.
type seed struct {
	dbFlags  []string
	appFlags []string
}

// TestSeed needs nothing of the kernel but VXLAN: names stand for the
// addresses of tasks, the application's port is its node's.
func TestSeed(t *testing.T) {
	s := usual(t)
	db, app, docknet := seed{
		dbFlags:  []string{"--endpoint-mode", "dnsrr"},
		appFlags: []string{"-p", "published=80,target=80,mode=host", "--endpoint-mode", "dnsrr"},
	}.deploy(t, s)

	got := ask(t, s, s.NodeOf(t, app), 0)
	dbAddr := harness.AddressOn(db, docknet).String()
	assert.DeepEqual(t, got.Resolved, []string{dbAddr})
	assert.Equal(t, got.DatabaseAddress, dbAddr)
	again := ask(t, s, s.NodeOf(t, app), got.Rows[0].ID)
	assert.Equal(t, again.Rows[0].ID, got.Rows[0].ID+1)

	remove(t, s)
}

// TestSeedVIP is TestSeed as people type it: the database by its virtual
// address, the application on port 80 of every node.
func TestSeedVIP(t *testing.T) {
	if _, err := os.Stat("/proc/net/ip_vs"); err != nil {
		t.Skip("this machine's kernel has no IPVS, so virtual addresses are silent; " +
			"make e2e-mesh runs the same scenario inside a kernel that has it")
	}
	seedVIP(t, usual(t))
}

func seedVIP(t *testing.T, s *harness.Swarm) {
	t.Helper()
	db, _, docknet := seed{appFlags: []string{"-p", "80:80"}}.deploy(t, s)

	vip := ""
	for _, v := range s.Service(t, "postgress").Endpoint.VirtualIPs {
		if v.NetworkID == docknet {
			vip = netip.MustParsePrefix(v.Addr).Addr().String()
		}
	}
	last := int64(0)
	for _, node := range s.Nodes {
		got := ask(t, s, node, last)
		assert.DeepEqual(t, got.Resolved, []string{vip})
		assert.Equal(t, got.DatabaseAddress, harness.AddressOn(db, docknet).String())
		last = got.Rows[0].ID
	}
	remove(t, s)
}

// deploy makes network and services and checks what is there, first by API,
// then in what plugin and docker print. It returns the task of the database,
// that of the application, and the ID of the network.
func (sc seed) deploy(t *testing.T, s *harness.Swarm) (db, app swarm.Task, docknet string) {
	t.Helper()
	s.Load(t, "image-postgres")
	s.Load(t, "image-webapp")
	const password = "Tr1cky pass'word"

	// An engine makes docker_gwbridge a moment after it has joined.
	for _, own := range []string{"ingress", "docker_gwbridge"} {
		eventually(t, s, func() poll.Result {
			all := s.Swarmnet("ls", "-a")
			if err := all.Compare(icmd.Success); err != nil {
				return poll.Error(err)
			}
			if !strings.Contains(all.Stdout(), own) {
				return poll.Continue("no %s in\n%s", own, all.Stdout())
			}
			return poll.Success()
		})
	}

	created := s.Swarmnet("create", "docknet")
	created.Assert(t, icmd.Success)
	n := s.Network(t, "docknet")
	assert.Assert(t, n != nil)
	docknet = n.ID
	assert.Equal(t, strings.TrimSpace(created.Stdout()), docknet)
	subnet := netip.MustParsePrefix(n.IPAM.Config[0].Subnet)

	dbArgs := append([]string{
		"deploy", "--name", "postgress", "--network", "docknet", "--timeout", max(s.Patience(), 5*time.Minute).String(),
		"-e", "POSTGRES_PASSWORD=" + password, "--no-resolve-image",
		"--constraint", "node.hostname==" + s.Nodes[1].Name,
	}, sc.dbFlags...)
	s.Swarmnet(append(dbArgs, "postgres")...).Assert(t, icmd.Success)
	db = running(t, s, "postgress")

	appArgs := append([]string{
		"deploy", "--name", "mydrupal", "--network", "docknet", "--timeout", max(s.Patience(), 5*time.Minute).String(),
		"-e", "POSTGRES_PASSWORD=" + password, "--no-resolve-image",
		"--constraint", "node.hostname==" + s.Nodes[2].Name,
	}, sc.appFlags...)
	s.Swarmnet(append(appArgs, "drupal")...).Assert(t, icmd.Success)
	app = running(t, s, "mydrupal")

	assert.Check(t, db.NodeID != app.NodeID)
	ps := s.Swarmnet("ps", "docknet")
	ps.Assert(t, icmd.Success)
	for _, task := range []swarm.Task{db, app} {
		addr := harness.AddressOn(task, docknet)
		assert.Check(t, subnet.Contains(addr), "%s has no address in %s", task.ID, subnet)
		assert.Check(t, is.Contains(ps.Stdout(), addr.String()))
		assert.Check(t, is.Contains(ps.Stdout(), s.NodeOf(t, task).Name))
	}
	for _, name := range []string{"postgress", "mydrupal"} {
		assert.Check(t, is.Contains(ps.Stdout(), name))
		assert.Check(t, is.Contains(s.Docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").Stdout(), name+" 1/1"))
		assert.Check(t, is.Contains(s.Docker("service", "ps", "--format", "{{.CurrentState}}", name).Stdout(), "Running"))
	}
	ls := s.Swarmnet("ls")
	ls.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(ls.Stdout(), "docknet"))
	assert.Check(t, is.Contains(ls.Stdout(), subnet.String()))
	return db, app, docknet
}

// running asserts that one task of a service runs, without waiting: deploy
// has waited.
func running(t *testing.T, s *harness.Swarm, service string) swarm.Task {
	t.Helper()
	tasks := s.Tasks(t, service, false)
	assert.Assert(t, is.Len(tasks, 1))
	assert.Equal(t, tasks[0].Status.State, swarm.TaskStateRunning)
	return tasks[0]
}

// ask requests the application at port 80 of a node until it answers with a
// row newer than last: what is published is reachable a moment after the task
// runs.
func ask(t *testing.T, s *harness.Swarm, node *harness.Node, last int64) answer {
	t.Helper()
	var got answer
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+node.Address+"/", nil)
		if err != nil {
			return poll.Error(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return poll.Continue("%v", err)
		}
		defer func() { _ = resp.Body.Close() }()
		got = answer{}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			return poll.Continue("%s: %v", resp.Status, err)
		}
		if resp.StatusCode != http.StatusOK || len(got.Rows) == 0 || got.Rows[0].ID <= last {
			return poll.Continue("%s: %+v", resp.Status, got)
		}
		return poll.Success()
	}, poll.WithTimeout(s.Patience()), poll.WithDelay(200*time.Millisecond))
	return got
}

// remove takes the scenario away: the network is refused while it is used,
// and goes as soon as the services do.
func remove(t *testing.T, s *harness.Swarm) {
	t.Helper()
	refused := s.Swarmnet("rm", "docknet")
	assert.Assert(t, s.Network(t, "docknet") != nil)
	refused.Assert(t, icmd.Expected{ExitCode: 1, Err: "postgress"})
	assert.Check(t, is.Contains(refused.Stderr(), "mydrupal"))
	assert.Check(t, is.Contains(refused.Stderr(), "docker service rm"))

	s.Docker("service", "rm", "postgress", "mydrupal").Assert(t, icmd.Success)
	s.Swarmnet("rm", "docknet").Assert(t, icmd.Success)
	assert.Assert(t, s.Network(t, "docknet") == nil)
}
