// Package text makes text that came from a swarm (names, labels, task errors,
// logs) safe to print.
package text

import (
	"strconv"
	"strings"
	"unicode"
)

// Clean replaces every control character of s, line breaks and tabs included,
// and every invisible format character (such as bidirectional overrides) with
// a space, and invalid UTF-8 with U+FFFD. A name from the swarm can then
// neither move the cursor nor colour or reorder a terminal's line.
func Clean(s string) string {
	clean := true
	for _, r := range s {
		if unsafe(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unsafe(r) && r != unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Lines cleans a text of several lines, keeping its line breaks.
func Lines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Clean(l)
	}
	return strings.Join(lines, "\n")
}

// Count returns a number with the word for it, in the plural where it is not
// one: "1 task", "2 addresses".
func Count(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "s"):
		word += "e"
	}
	return strconv.Itoa(n) + " " + word + "s"
}

func unsafe(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		r == '\u2028' || r == '\u2029'
}
