package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Explain turns an error of the API into one that names the docker context
// and, where there is one, the command to type next. The cause stays in the
// chain. nil stays nil.
func (e *Engine) Explain(err error) error {
	var told *problem.Error
	if err == nil || errors.As(err, &told) || errors.Is(err, context.Canceled) {
		return err
	}
	msg := text.Lines(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
	p := &problem.Error{Err: err}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		p.Msg = fmt.Sprintf("the engine of context %q did not answer in time", e.name)
		p.Next = fmt.Sprintf("Run 'docker -c %s info' to see whether it answers at all.", e.name)
	case client.IsErrConnectionFailed(err):
		p.Msg = fmt.Sprintf("cannot reach the engine of context %q: %s", e.name, msg)
		p.Next = fmt.Sprintf("Run 'docker context inspect %s' to see where it points.", e.name)
	default:
		p.Msg = fmt.Sprintf("%s (context %q)", msg, e.name)
	}
	return p
}

// IsOutOfSequence tells whether a change was refused because the object has
// changed since it was read (moby#30794).
func IsOutOfSequence(err error) bool {
	return err != nil && strings.Contains(err.Error(), "update out of sequence")
}

// IsNotFound tells whether the object of a call does not exist.
func IsNotFound(err error) bool { return cerrdefs.IsNotFound(err) }

// IsNetworkGone tells whether a call was refused because a network, of which the
// call need not be, does not exist. Engines pass on what swarmkit and libnetwork
// say of it without a kind at times (seen while ingress goes, on 20.10), so their
// words count too.
func IsNetworkGone(err error) bool {
	if err == nil || IsNotFound(err) {
		return err != nil
	}
	msg := err.Error()
	return strings.Contains(msg, "code = NotFound") || strings.Contains(msg, "network ") && strings.Contains(msg, " not found")
}

// IsConflict tells whether a name is taken. Engines pass on swarmkit's own
// error without a kind for some objects (swarmkit manager/state/store
// ErrNameConflict; seen with networks on 26.1), so its words count too.
func IsConflict(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsAlreadyExists(err) ||
		err != nil && strings.Contains(err.Error(), "name conflicts with an existing object")
}

// IsInUse tells whether a removal was refused because somebody uses the object.
// Of ingress swarmkit says that a service depends on it (manager/controlapi
// RemoveNetwork).
func IsInUse(err error) bool {
	if err == nil {
		return false
	}
	for _, words := range []string{"is in use by", "has active endpoints", "depends on it"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// IsIngressPresent tells whether another ingress network was refused because
// there is one (swarmkit manager/controlapi CreateNetwork).
func IsIngressPresent(err error) bool {
	return err != nil && strings.Contains(err.Error(), "is already present")
}

// IsSilent tells whether an engine could not answer at this moment and may in
// another: it is being restarted, or its swarm has no leader. Engines pass the
// latter on as text, without a kind (moby daemon/cluster/errors.go, swarmkit
// manager/state/raft, seen on 20.10 and 26.1).
func IsSilent(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if client.IsErrConnectionFailed(err) || cerrdefs.IsUnavailable(err) || cerrdefs.IsDeadlineExceeded(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, errNotManaging) || IsLeaderless(err) {
		return true
	}
	msg := err.Error()
	for _, words := range []string{
		"code = Unavailable", "code = DeadlineExceeded", "context deadline exceeded",
		"raft: ", "node is not part of a swarm", "This node is not a swarm manager", "connection refused", ": EOF",
	} {
		if strings.Contains(msg, words) {
			return true
		}
	}
	return false
}

// errNotManaging is the kind of all errors of RequireManager. An engine that is
// being restarted is not a manager yet.
var errNotManaging = errors.New("this node is not a swarm manager")

// IsLeaderless tells whether an engine is there and its swarm has no leader:
// the managers are choosing one, or too few of them are left.
func IsLeaderless(err error) bool {
	return err != nil && strings.Contains(err.Error(), "does not have a leader")
}

// RequireWhole returns an error unless the snapshot comes from a manager and
// nothing of it was left unread: decisions on it would be guesses, and what it
// lacks would count as gone. Where a manager cannot ask its swarm, it lists its
// own networks and no error (moby api/server/router/network getNetworksList), so
// that the other parts must have been read for those to count.
func RequireWhole(s *swarm.Snapshot) error {
	if err := RequireManager(s); err != nil {
		return err
	}
	if len(s.Unread) > 0 {
		return problem.New("could not read the %s of the swarm of context %q: %w", s.Unread[0].What, s.Context, s.Unread[0].Err)
	}
	return nil
}

// RequireManager returns the error for a snapshot taken through an engine that
// cannot change a swarm, with the exact command that helps; nil for a manager.
func RequireManager(s *swarm.Snapshot) error {
	if s.Cluster.State == swarm.StateActive && s.Cluster.Manager {
		return nil
	}
	p := notManaging(s)
	p.Err = errNotManaging
	return p
}

func notManaging(s *swarm.Snapshot) *problem.Error {
	c := s.Cluster
	docker := "docker -c " + s.Context
	switch c.State {
	case swarm.StateLocked:
		return problem.New("the swarm of context %q is locked", s.Context).WithNext("Run '%s swarm unlock' first.", docker)
	case swarm.StateActive:
		managers := "a manager"
		if len(c.Managers) > 0 {
			managers = "a manager (" + text.Clean(strings.Join(c.Managers, ", ")) + ")"
		}
		return problem.New("the engine of context %q is a worker of its swarm; swarm networks are made and seen on managers", s.Context).
			WithNext("Use a context of %s: 'docker context ls' shows yours, 'docker -c CONTEXT swarmnet …' chooses one.", managers)
	case swarm.StateError, swarm.StatePending:
		return problem.New("the engine of context %q is in a swarm in state %q: %s", s.Context, c.State, text.Clean(c.Error)).
			WithNext("Run '%s info' and look at the engine's log.", docker)
	default:
		return problem.New("the engine of context %q is not in a swarm", s.Context).
			WithNext("Run '%s swarm init' to start one, or join one with 'docker swarm join'.", docker)
	}
}

// IsAway tells whether nobody could answer: the engine cannot be reached, or
// its swarm is choosing another leader (swarmkit manager: "The swarm does not
// have a leader"). Asking again later may do.
func IsAway(err error) bool {
	if err == nil {
		return false
	}
	var net interface{ Timeout() bool }
	if client.IsErrConnectionFailed(err) || errors.As(err, &net) || errors.Is(err, errNotManaging) || IsLeaderless(err) {
		return true
	}
	for _, words := range []string{"lost leadership", "connection refused", "code = Unavailable", "EOF"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
