package pages

import (
	"fmt"
	"regexp"
	"strings"
)

// anything stands for any text in a line, or alone on a line for any lines.
const anything = "..."

// Match compares output with the lines that a page shows. It returns nil when
// they agree, otherwise an error that names the first line that does not.
// Runs of spaces are as one, blank lines at either end do not count.
func Match(want []string, output string) error {
	expected, got := trim(want), trim(strings.Split(output, "\n"))
	// reached[j]: the expected lines so far can stand for the first j lines.
	reached := make([]bool, len(got)+1)
	reached[0] = true
	for i, line := range expected {
		next := make([]bool, len(got)+1)
		possible := false
		for j := range reached {
			switch {
			case line == anything:
				next[j] = reached[j] || j > 0 && next[j-1]
			case j > 0:
				next[j] = reached[j-1] && matchLine(line, got[j-1])
			}
			possible = possible || next[j]
		}
		if !possible {
			return fmt.Errorf("the output has no line like %q where it should, after the %d lines before it", line, i)
		}
		reached = next
	}
	if !reached[len(got)] {
		return fmt.Errorf("the output goes on after the last line that is shown")
	}
	return nil
}

// trim makes runs of spaces one, and takes blank lines from both ends.
func trim(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.Join(strings.Fields(l), " "))
	}
	for len(out) > 0 && out[0] == "" {
		out = out[1:]
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// matchLine compares one line. "..." between two spaces also stands for one
// space: "a ... b" is like "a b".
func matchLine(want, got string) bool {
	pattern := strings.NewReplacer(
		` \.\.\. `, `(?: .*)? `,
		`\.\.\.`, `.*`,
	).Replace(regexp.QuoteMeta(want))
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString(got)
}
