package engine

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"golang.org/x/sync/errgroup"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Look takes one snapshot in five calls, whatever the size of the swarm. An
// error means that the engine itself could not be reached; a part that the
// engine refused stands in Unread. Asked of an engine that is not a manager,
// the snapshot holds what such an engine knows: itself and its networks.
func (e *Engine) Look(ctx context.Context) (*model.Snapshot, error) { return e.look(ctx) }

// A Looker takes snapshots, as an Engine does.
type Looker interface {
	Look(ctx context.Context) (*model.Snapshot, error)
}

// LookWhole takes a snapshot that lacks nothing (RequireWhole).
func LookWhole(ctx context.Context, e Looker) (*model.Snapshot, error) {
	s, err := e.Look(ctx)
	if err != nil {
		return nil, err
	}
	if err := RequireWhole(s); err != nil {
		return nil, err
	}
	return s, nil
}

// look takes a snapshot and makes more calls beside it, all within the bound on
// calls to one engine. An error of one of them ends the look.
func (e *Engine) look(ctx context.Context, more ...func(context.Context) error) (*model.Snapshot, error) {
	var (
		info     system.Info
		networks []network.Summary
		nodes    []swarm.Node
		failed   [3]error
		netErr   error
	)
	e.negotiate(ctx)
	s := &model.Snapshot{Context: e.name}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxParallel)
	g.Go(func() (err error) { info, err = e.api.Info(gctx); return err })
	g.Go(func() error { s.Tasks, s.Attachments, failed[2] = e.tasks(gctx); return nil })
	g.Go(func() error { s.Services, failed[1] = e.services(gctx); return nil })
	g.Go(func() error { networks, netErr = e.api.NetworkList(gctx, network.ListOptions{}); return nil })
	g.Go(func() error { nodes, failed[0] = e.api.NodeList(gctx, swarm.NodeListOptions{}); return nil })
	for _, call := range more {
		g.Go(func() error { return call(gctx) })
	}
	if err := g.Wait(); err != nil {
		return nil, e.Explain(err)
	}
	s.Taken, s.Engine, s.Cluster = time.Now(), engineOf(info, e.api.ClientVersion()), clusterOf(info)
	if netErr != nil {
		s.Unread = append(s.Unread, model.Unread{What: "networks", Err: e.Explain(netErr)})
	}
	s.Networks = convert(networks, networkOf)
	if !s.Cluster.Manager {
		s.Services, s.Tasks, s.Attachments = nil, nil, nil
		return s, nil
	}
	for i, what := range []string{"nodes", "services", "tasks"} {
		if failed[i] != nil {
			s.Unread = append(s.Unread, model.Unread{What: what, Err: e.Explain(failed[i])})
		}
	}
	s.Nodes = convert(nodes, nodeOf)
	return s, nil
}

func convert[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for i := range in {
		out = append(out, f(in[i]))
	}
	return out
}

func engineOf(info system.Info, api string) model.Engine {
	en := model.Engine{
		Name: info.Name, Version: info.ServerVersion, APIVersion: api,
		OS: info.OSType, KernelVersion: info.KernelVersion,
	}
	// The zero time where the engine does not tell it.
	en.Clock, _ = time.Parse(time.RFC3339Nano, info.SystemTime)
	if info.FirewallBackend != nil {
		en.FirewallBackend = info.FirewallBackend.Driver
	}
	return en
}

func clusterOf(info system.Info) model.Cluster {
	c := model.Cluster{
		State:    model.NodeState(info.Swarm.LocalNodeState),
		Manager:  info.Swarm.ControlAvailable,
		NodeID:   info.Swarm.NodeID,
		NodeAddr: info.Swarm.NodeAddr,
		Error:    info.Swarm.Error,
	}
	for _, p := range info.Swarm.RemoteManagers {
		c.Managers = append(c.Managers, p.Addr)
	}
	if cl := info.Swarm.Cluster; cl != nil {
		c.ID, c.Created = cl.ID, cl.CreatedAt
		c.SubnetSize, c.DataPathPort = int(cl.SubnetSize), int(cl.DataPathPort)
		c.DefaultAddrPool = prefixes(cl.DefaultAddrPool)
	}
	return c
}
