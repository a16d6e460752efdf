package umlguest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Client talks to the agent from outside the guest.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client for the agent at the address of the switch.
func NewClient(agent netip.Addr) *Client {
	return &Client{
		base: "http://" + net.JoinHostPort(agent.String(), strconv.Itoa(AgentPort)),
		// Never through the proxy of the user's environment.
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// Ready asks whether the guest has started; an error says that not yet.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/ready", nil, nil)
}

// StartNode makes the node's network and starts its engine. The engine need
// not answer yet.
func (c *Client) StartNode(ctx context.Context, n Node) error {
	return c.call(ctx, http.MethodPut, nodePath(n.Name), n, nil)
}

// StopNode ends the engine, its containers and the node's network at once, as
// a power cut would; what it had on its disk stays.
func (c *Client) StopNode(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, nodePath(name)+"/"+actionStop, nil, nil)
}

// CutNode takes the node's cable out.
func (c *Client) CutNode(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, nodePath(name)+"/"+actionCut, nil, nil)
}

// HealNode puts the node's cable back.
func (c *Client) HealNode(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, nodePath(name)+"/"+actionHeal, nil, nil)
}

// Node tells what the agent knows about a node.
func (c *Client) Node(ctx context.Context, name string) (Status, error) {
	var st Status
	err := c.call(ctx, http.MethodGet, nodePath(name), nil, &st)
	return st, err
}

func nodePath(name string) string { return "/nodes/" + url.PathEscape(name) }

// call sends in as JSON, if any, and reads the answer into out, if any.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("agent of the guest kernel: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("agent of the guest kernel: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return errors.New(strings.TrimSpace(string(data)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
