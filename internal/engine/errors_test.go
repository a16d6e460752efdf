package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"gotest.tools/v3/assert"
)

func TestIsConflict(t *testing.T) {
	assert.Assert(t, IsConflict(cerrdefs.ErrConflict))
	assert.Assert(t, IsConflict(errors.New("rpc error: code = Unknown desc = name conflicts with an existing object")), "as 26.1 says it")
	assert.Assert(t, !IsConflict(errors.New("no such network")))
	assert.Assert(t, !IsConflict(nil))
}

func TestIsSilent(t *testing.T) {
	for _, err := range []error{
		errors.New("rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online."),
		errors.New("rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
		fmt.Errorf("error during connect: %w", io.EOF),
		cerrdefs.ErrUnavailable,
	} {
		assert.Check(t, IsSilent(err), "%v", err)
	}
	assert.Check(t, IsLeaderless(errors.New("rpc error: code = Unknown desc = The swarm does not have a leader.")))
	assert.Check(t, !IsLeaderless(io.EOF) && !IsLeaderless(nil))
	for _, err := range []error{nil, context.Canceled, cerrdefs.ErrNotFound, errors.New("rpc error: code = InvalidArgument desc = bad spec")} {
		assert.Check(t, !IsSilent(err), "%v", err)
	}
}
