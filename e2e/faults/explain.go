package faults

import (
	"encoding/json"
	"strings"
)

// explains tells whether explain's JSON names the fault's step as the first
// that is broken, and what it names otherwise.
func explains(out []byte, f Fault) (right bool, instead string) {
	var answer struct {
		Steps []struct{ Step, Status, Evidence string }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return false, err.Error()
	}
	instead = "no step"
	for _, s := range answer.Steps {
		if s.Status == "broken" {
			if strings.Contains(s.Step, f.Broken) || f.Or != "" && strings.Contains(s.Evidence, f.Or) {
				return true, ""
			}
			return false, s.Step + " (" + s.Evidence + ")"
		}
		if s.Status == "unknown" && instead == "no step" {
			instead = "no step; not known: " + s.Step + " (" + s.Evidence + ")"
		}
	}
	return false, instead
}
