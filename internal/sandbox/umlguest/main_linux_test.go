package umlguest

import (
	"testing"

	"gotest.tools/v3/assert"
)

func TestCalledOnlyInTheGuest(t *testing.T) {
	init := append([]string{"/init"}, InitArgs()...)
	assert.Assert(t, !Called(init), "without the guest's configuration it is a user's mistake")
	t.Setenv(ConfigEnv, "e30")
	assert.Assert(t, Called(init))
	for _, args := range [][]string{
		{"docker-swarmnet"},
		{"docker-swarmnet", "sandbox", "up"},
		{"docker-swarmnet", "swarmnet", "sandbox"},
		{"docker-swarmnet", "ls", verbInit},
	} {
		assert.Assert(t, !Called(args), "%q", args)
	}
}
