package rewire

import (
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func TestWishes(t *testing.T) {
	s := twoNodes()
	s.Attachments = []swarm.Attachment{{ID: "a", NodeID: "n2", ContainerID: "c0ffee0123456789"}}
	c := Change{On: &s.Networks[1], Aliases: []string{"x"}}
	wishes, err := Wishes(s, []string{"web", "db", "web"}, c)
	assert.NilError(t, err)
	assert.Assert(t, is.Len(wishes, 2), "named twice is once")
	assert.Equal(t, wishes[1].Service.Name, "db")

	_, err = Wishes(s, []string{"web", "c0ffee", "nobody"}, c)
	for _, part := range []string{
		`"c0ffee" is a container on node n2`, "type 'docker network connect --alias x net-b c0ffee' (which the network refuses, since it is not attachable) on node n2",
		`there is no service "nobody"`, "docker -c east service ls",
	} {
		assert.Check(t, is.ErrorContains(err, part))
	}
	_, err = Wishes(s, []string{"c0ffee"}, Change{Off: &s.Networks[0]})
	assert.Check(t, is.ErrorContains(err, "'docker network disconnect net-a c0ffee' on node n2"))
}
