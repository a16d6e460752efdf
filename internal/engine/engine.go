// Package engine is the one adapter to Docker: it turns API answers into the
// model of internal/core/swarm and wishes into API calls. With
// internal/stackfile it is the only package that sees Docker's API types.
package engine

import (
	"context"
	"sync"

	"github.com/docker/docker/client"
)

// Engine is a Docker engine reached through a docker context.
type Engine struct {
	name string
	api  client.APIClient

	negotiated sync.Once
}

// maxParallel bounds the calls in flight to one engine. Every call over ssh
// in flight at once is an ssh process of its own, and sshd refuses more than
// ten unauthenticated ones (MaxStartups).
const maxParallel = 4

// New returns the engine behind a client; context is the docker context's
// name, which messages carry.
func New(context string, api client.APIClient) *Engine {
	return &Engine{name: context, api: api}
}

// Negotiated tells that the client has asked the engine for its API version, as
// docker's own client has, and returns the engine.
func (e *Engine) Negotiated() *Engine {
	e.negotiated.Do(func() {})
	return e
}

// negotiate asks for the API version before requests that the client does not
// make itself. The client would ask before its first one.
func (e *Engine) negotiate(ctx context.Context) {
	e.negotiated.Do(func() { e.api.NegotiateAPIVersion(ctx) })
}

// Context returns the name of the docker context.
func (e *Engine) Context() string { return e.name }

// API returns the client, for docker/cli code that wants one.
func (e *Engine) API() client.APIClient { return e.api }

// Close ends the client's connections.
func (e *Engine) Close() error { return e.api.Close() }

// APIVersion returns the API version in use, after negotiation.
func (e *Engine) APIVersion(ctx context.Context) string {
	e.api.NegotiateAPIVersion(ctx)
	return e.api.ClientVersion()
}
