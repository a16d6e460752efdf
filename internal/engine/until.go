package engine

import (
	"fmt"
	"time"

	timetypes "github.com/docker/docker/api/types/time"
)

// ParseUntil reads the time of docker's filter "until": a timestamp, or a
// duration before now (moby daemon, prune filters).
func ParseUntil(value string, now time.Time) (time.Time, error) {
	stamp, err := timetypes.GetTimestamp(value, now)
	if err != nil {
		return time.Time{}, fmt.Errorf("until=%s is neither a time nor a duration: %w", value, err)
	}
	seconds, nanos, err := timetypes.ParseTimestamps(stamp, 0)
	if err != nil {
		return time.Time{}, fmt.Errorf("until=%s is neither a time nor a duration: %w", value, err)
	}
	return time.Unix(seconds, nanos), nil
}
