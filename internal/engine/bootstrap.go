package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Dial returns the engine at host ("unix:///x/docker.sock", "tcp://10.0.0.1:2375"),
// for one that has no docker context yet; name stands in messages.
func Dial(name, host string) (*Engine, error) {
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", name, err)
	}
	return New(name, api), nil
}

// Ping asks whether the engine answers.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.api.Ping(ctx)
	return err
}

// InitSwarm makes the engine the first manager of a new swarm, whose nodes
// report to it that often; 0 is the engine's default of 5 s.
func (e *Engine) InitSwarm(ctx context.Context, advertise string, heartbeat time.Duration) error {
	request := swarm.InitRequest{ListenAddr: "0.0.0.0:2377", AdvertiseAddr: advertise}
	request.Spec.Dispatcher.HeartbeatPeriod = heartbeat
	_, err := e.api.SwarmInit(ctx, request)
	return e.Explain(err)
}

// JoinTokens returns the secrets that let another engine join the swarm.
func (e *Engine) JoinTokens(ctx context.Context) (worker, manager string, err error) {
	info, err := e.api.SwarmInspect(ctx)
	return info.JoinTokens.Worker, info.JoinTokens.Manager, e.Explain(err)
}

// JoinSwarm joins the engine to the swarm of the manager at remote. An engine
// that answers after 20 s that it has not joined yet goes on trying by itself
// (moby daemon/cluster/errors.go, errSwarmJoinTimeoutReached), which is no error here.
func (e *Engine) JoinSwarm(ctx context.Context, advertise, remote, token string) error {
	err := e.api.SwarmJoin(ctx, swarm.JoinRequest{
		ListenAddr: "0.0.0.0:2377", AdvertiseAddr: advertise, RemoteAddrs: []string{remote}, JoinToken: token,
	})
	if err != nil && strings.Contains(err.Error(), "Timeout was reached before node joined") {
		return nil
	}
	return e.Explain(err)
}

// ReadyNodes counts the swarm's nodes that are ready.
func (e *Engine) ReadyNodes(ctx context.Context) (int, error) {
	nodes, err := e.api.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return 0, e.Explain(err)
	}
	ready := 0
	for _, n := range nodes {
		if n.Status.State == swarm.NodeStateReady {
			ready++
		}
	}
	return ready, nil
}

// LoadImages loads an archive made by "docker save" and returns the names of
// the images in it.
func (e *Engine) LoadImages(ctx context.Context, archive io.Reader) ([]string, error) {
	resp, err := e.api.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return nil, e.Explain(err)
	}
	defer resp.Body.Close()
	var names []string
	err = readMessages(resp.Body, func(line string) {
		for _, prefix := range []string{"Loaded image: ", "Loaded image ID: "} {
			if name, ok := strings.CutPrefix(line, prefix); ok {
				names = append(names, strings.TrimSpace(name))
			}
		}
	})
	return names, err
}

// ImportImage makes an image of the tar of a root file system.
func (e *Engine) ImportImage(ctx context.Context, rootfs io.Reader, name string, changes []string) error {
	source := image.ImportSource{Source: rootfs, SourceName: "-"}
	body, err := e.api.ImageImport(ctx, source, name, image.ImportOptions{Changes: changes})
	if err != nil {
		return e.Explain(err)
	}
	defer body.Close()
	return readMessages(body, func(string) {})
}

// SaveImage reads an image out of the engine, as "docker save" does.
func (e *Engine) SaveImage(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := e.api.ImageSave(ctx, []string{name})
	return r, e.Explain(err)
}

// readMessages reads the JSON messages of a long call; one of them may be its
// error, since the status of the answer was sent before the work began.
func readMessages(r io.Reader, stream func(line string)) error {
	for dec := json.NewDecoder(r); ; {
		var m struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if m.Error != "" {
			return errors.New(text.Lines(m.Error))
		}
		stream(m.Stream)
	}
}
