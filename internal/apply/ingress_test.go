package apply

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/mesh"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// meshSwarm is a movingSwarm in which service "one" publishes ports in the mesh.
type meshSwarm struct {
	*movingSwarm
	ports []swarm.Port // while they are off
	// removal and creation are the errors of the next removals and creations.
	removal, creation []error
}

func newMeshSwarm(t *testing.T) (*meshSwarm, mesh.Course) {
	t.Helper()
	f := &meshSwarm{movingSwarm: newMovingSwarm()}
	f.networks[0].Name, f.networks[0].Ingress = "ingress", true
	for id := range f.now {
		sv := f.now[id]
		sv.Networks, f.where[id] = nil, nil
		f.now[id] = sv
	}
	sv := f.now["one"]
	sv.Ports = []swarm.Port{{Protocol: "tcp", Target: 80, Published: 8443, Mode: "ingress"}, {Protocol: "tcp", Target: 80, Published: 8080, Mode: "ingress"}}
	f.now["one"] = sv
	s, err := f.Look(context.Background())
	assert.NilError(t, err)
	p, err := mesh.New(s, mesh.Wish{Options: map[string]string{swarm.OptMTU: "1400"}})
	assert.NilError(t, err)
	return f, mesh.Course{Job: p.Job}
}

// Look gives a service that publishes its address on the ingress network there is.
func (f *meshSwarm) Look(ctx context.Context) (*swarm.Snapshot, error) {
	s, err := f.movingSwarm.Look(ctx)
	if err == nil {
		if n, ok := s.Ingress(); ok && s.Services[0].NeedsIngress() {
			s.Services[0].VIPs = []swarm.VIP{{NetworkID: n.ID, Addr: n.Subnets[0].Prefix}}
		}
	}
	return s, err
}

func (f *meshSwarm) ParkPorts(_ context.Context, id, job string) error {
	sv := f.now[id]
	f.ports, sv.Ports = sv.Ports, nil
	sv.Labels = map[string]string{mesh.LabelJob: job, mesh.LabelPorts: "ports"}
	f.now[id] = sv
	return nil
}

func (f *meshSwarm) RestorePorts(_ context.Context, id string) error {
	sv := f.now[id]
	sv.Ports = f.ports
	delete(sv.Labels, mesh.LabelPorts)
	f.now[id] = sv
	return nil
}

func take(errs *[]error) error {
	if len(*errs) == 0 {
		return nil
	}
	err := (*errs)[0]
	*errs = (*errs)[1:]
	return err
}

func (f *meshSwarm) RemoveNetwork(ctx context.Context, id string) error {
	if err := take(&f.removal); err != nil {
		return err
	}
	return f.movingSwarm.RemoveNetwork(ctx, id)
}

func (f *meshSwarm) CreateNetwork(ctx context.Context, spec swarm.NetworkSpec) (string, error) {
	if err := take(&f.creation); err != nil {
		return "", err
	}
	id, err := f.movingSwarm.CreateNetwork(ctx, spec)
	if i := slices.IndexFunc(f.networks, func(n swarm.Network) bool { return n.ID == id }); i >= 0 {
		f.networks[i].Ingress = true
		for k, v := range spec.Options {
			f.networks[i].Options[k] = v
		}
	}
	return id, err
}

func TestRecreateIngress(t *testing.T) {
	gone := errors.New("Error response from daemon: network old not found")
	for name, c := range map[string]struct {
		removal, creation []error
		code              int
		mtu               string
		says              string
	}{
		"plain":                            {mtu: "1400"},
		"not found while it goes":          {removal: []error{gone, gone}, creation: []error{gone}, mtu: "1400"},
		"still present while it goes":      {creation: []error{errors.New("ingress network (old) is already present")}, mtu: "1400"},
		"refused, and made as it was":      {creation: []error{errors.New("no")}, code: problem.RolledBack, says: "is as it was before"},
		"refused, and as it was too":       {creation: []error{errors.New("no"), errors.New("never")}, code: problem.RollbackFailed, says: "HAS NO INGRESS NETWORK"},
		"removal refused, nothing removed": {removal: []error{errors.New("no")}, code: problem.RolledBack, says: "is as it was before"},
	} {
		t.Run(name, func(t *testing.T) {
			f, course := newMeshSwarm(t)
			f.removal, f.creation = c.removal, c.creation
			want := f.now["one"].Ports
			r := Recreation{Context: "east", Timeout: 20 * time.Second, Log: func(context.Context, string, int) []string { return nil }}
			_, err := r.Go(context.Background(), f, course, event.Discard)
			if c.code == 0 {
				assert.NilError(t, err)
			} else {
				var p *problem.Error
				assert.Assert(t, errors.As(err, &p))
				assert.Equal(t, p.Code, c.code, "%v", err)
				assert.Check(t, is.Contains(p.Msg, c.says))
				if c.code == problem.RollbackFailed {
					assert.Check(t, is.Contains(p.Next, "ingress recreate --undo"))
					_, err = r.Go(context.Background(), f, mesh.Course{Job: course.Job, Back: true}, event.Discard)
					assert.NilError(t, err)
				}
			}
			assert.DeepEqual(t, f.now["one"].Ports, want)
			assert.Equal(t, len(f.now["one"].Labels), 0)
			assert.Assert(t, is.Len(f.networks, 1))
			assert.Equal(t, f.networks[0].Options[swarm.OptMTU], c.mtu)
		})
	}
}

// TestUnreplaced: what the last new task died of is told, and no failure of
// before the tasks that run.
func TestUnreplaced(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }
	s := &swarm.Snapshot{
		Services: []swarm.Service{{ID: "w", Name: "web"}, {ID: "a", Name: "api"}},
		Nodes:    []swarm.Node{{ID: "n", Hostname: "n1"}},
		Tasks: []swarm.Task{
			{ID: "1", ServiceID: "w", NodeID: "n", State: swarm.TaskFailed, Err: "long ago", Created: at(1)},
			{ID: "2", ServiceID: "w", NodeID: "n", State: swarm.TaskRunning, Created: at(2)},
			{ID: "3", ServiceID: "a", NodeID: "n", State: swarm.TaskRejected, Err: "no room", Created: at(4)},
		},
	}
	left := []members.Member{{Kind: members.Task, Name: "web.1", Service: "web"}}
	assert.Equal(t, unreplaced(s, left), "")
	s.Tasks = append(s.Tasks, swarm.Task{ID: "4", ServiceID: "w", NodeID: "n", State: swarm.TaskRejected, Err: "No such image", Created: at(3)})
	assert.Equal(t, unreplaced(s, left), "; the last new task of web on n1 was rejected: No such image")
}
