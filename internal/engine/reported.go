package engine

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/docker/docker/api"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

const (
	// reportingAPI is the version from which engines count the addresses of a
	// network, and tell when they are asked for it alone (moby
	// api/types/network Status).
	reportingAPI = "1.52"
	// reportTime bounds one such answer.
	reportTime = 10 * time.Second
)

// ReadReported fills in what the engine itself counts of the networks with
// these IDs (model.Subnet.Reported), at one call a network, four at once. It
// returns false, and fills in nothing, where the engine does not count. The
// client module knows neither the version nor the fields, so a second client
// speaks that version over the first one's way to the engine. Networks are
// asked for by ID: engines 29.0 to 29.7 answer 404 for any swarm network asked
// by name while a single one is unallocated (moby commit 1b7bdd064c).
func (e *Engine) ReadReported(ctx context.Context, s *model.Snapshot, ids []string) (bool, error) {
	if OlderAPI(e.api.ClientVersion(), api.DefaultVersion) {
		return false, nil // the engine is even older than the client module
	}
	ping, err := e.api.Ping(ctx)
	if err != nil {
		return false, e.Explain(err)
	}
	if OlderAPI(ping.APIVersion, reportingAPI) {
		return false, nil
	}
	newer, err := e.speaking(reportingAPI)
	if err != nil {
		return false, err
	}
	defer newer.Close()
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxParallel)
	for i := range s.Networks {
		if n := &s.Networks[i]; wanted[n.ID] {
			g.Go(func() error { return readReported(gctx, newer, n) })
		}
	}
	return true, e.Explain(g.Wait())
}

// speaking returns a client of that API version that goes through e's client.
func (e *Engine) speaking(version string) (*client.Client, error) {
	return client.NewClientWithOpts(
		client.WithHost("http://localhost"),
		client.WithHTTPClient(&http.Client{Transport: through(e.api)}),
		client.WithVersion(version),
	)
}

// through is a way to the engine of a client, whose dialer knows of sockets, TLS
// and ssh, for requests to http://localhost.
func through(api client.APIClient) *http.Transport {
	dial := api.Dialer()
	return &http.Transport{
		MaxIdleConnsPerHost: maxParallel, IdleConnTimeout: 30 * time.Second,
		ReadBufferSize: 64 << 10, // the lists of a large swarm are many MB
		DialContext:    func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
}

// readReported asks for one network; one that is gone by now is left as it is.
func readReported(ctx context.Context, api client.NetworkAPIClient, n *model.Network) error {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	_, raw, err := api.NetworkInspectWithRaw(ctx, n.ID, network.InspectOptions{})
	switch {
	case IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	var answer struct {
		Status struct {
			IPAM struct {
				Subnets map[string]struct{ IPsInUse, DynamicIPsAvailable uint64 }
			}
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	for subnet, count := range answer.Status.IPAM.Subnets {
		prefix, err := netip.ParsePrefix(subnet)
		if err != nil {
			continue
		}
		for i := range n.Subnets {
			if n.Subnets[i].Prefix == prefix.Masked() {
				n.Subnets[i].Reported = &model.Reported{InUse: count.IPsInUse, Available: count.DynamicIPsAvailable}
			}
		}
	}
	return nil
}
