package engine

import (
	"testing"
	"time"

	"gotest.tools/v3/assert"
)

func TestParseUntil(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"24h": now.Add(-24 * time.Hour), "2026-04-01T10:00:00Z": time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC), "1700000000": time.Unix(1700000000, 0),
	} {
		got, err := ParseUntil(value, now)
		assert.NilError(t, err)
		assert.Assert(t, got.Equal(want), "%s: %s", value, got)
	}
	_, err := ParseUntil("yesterday", now)
	assert.ErrorContains(t, err, "until=yesterday")
}
