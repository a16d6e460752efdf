package faults

import (
	"encoding/json"
	"strings"
)

// explains tells whether explain's JSON names the fault's step as the first
// that is broken.
func explains(out []byte, f Fault) bool {
	var answer struct {
		Steps []struct{ Step, Status string }
	}
	if json.Unmarshal(out, &answer) != nil {
		return false
	}
	for _, s := range answer.Steps {
		if s.Status == "broken" {
			return strings.Contains(s.Step, f.Broken)
		}
	}
	return false
}
