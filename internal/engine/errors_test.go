package engine

import (
	"errors"
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
