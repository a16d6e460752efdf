package text

import (
	"testing"

	"gotest.tools/v3/assert"
)

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"mtu", "mtu", 0}, {"mut", "mtu", 1}, {"encrypt", "encrypted", 2}, {"kitten", "sitting", 3}} {
		assert.Equal(t, distance(tc.a, tc.b), tc.want)
		assert.Equal(t, distance(tc.b, tc.a), tc.want)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"first-network", "opening-the-ports", "SN201", "SN202"}
	for typed, want := range map[string]string{
		"first-netwok": "first-network", "openingtheports": "opening-the-ports", "SN203": "SN201", "drupal": "",
	} {
		assert.Equal(t, Nearest(typed, words), want, typed)
	}
}
