// Package runbook holds the runbooks as pages that can be listed and looked
// up: those of findings by code, those of jobs by name.
package runbook

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// A Page is one runbook.
type Page struct {
	// Code is that of the finding it mends ("SN201"); empty for a job.
	Code string
	// Name is that of its file, without the ending.
	Name  string
	Title string
	// Text is the Markdown, without what only the tests execute.
	Text string
}

var (
	heading = regexp.MustCompile(`(?m)^# (?:([A-Z]+[0-9]+): )?(.+)$`)
	// hidden are the commands that tests run between the reader's.
	hidden = regexp.MustCompile(`(?ms)^ *<!-- run\n.*?^ *-->\n\n?`)
	// expected is the exit code that tests expect of a block.
	expected = regexp.MustCompile("(?m)^( *```console) exit=[0-9]+$")
)

// Parse makes a page of a file's name and Markdown.
func Parse(file, markdown string) Page {
	p := Page{Name: strings.TrimSuffix(file, ".md")}
	if m := heading.FindStringSubmatch(markdown); m != nil {
		p.Code, p.Title = m[1], m[2]
	}
	p.Text = expected.ReplaceAllString(hidden.ReplaceAllString(markdown, ""), "$1")
	return p
}

// Sort brings pages into the order of a list: the jobs by name, then the
// findings by code.
func Sort(pages []Page) {
	slices.SortFunc(pages, func(a, b Page) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Name, b.Name))
	})
}

// Find returns the page of a code or name, whatever its case. The error for
// one that is not there names those that may have been meant.
func Find(pages []Page, word string) (Page, error) {
	for _, p := range pages {
		if strings.EqualFold(p.Name, word) || p.Code != "" && strings.EqualFold(p.Code, word) {
			return p, nil
		}
	}
	err := problem.New("there is no runbook %q", word).WithNext("Run 'docker swarmnet runbook' to list them.")
	if near := meant(pages, word); len(near) > 0 {
		err = err.WithNext("Run 'docker swarmnet runbook %s', or 'docker swarmnet runbook' to list them all.",
			strings.Join(near, "' or 'docker swarmnet runbook "))
	}
	return Page{}, err
}

// most is how many pages an error names.
const most = 3

// meant are the pages whose name or title has the word in it, at most three,
// otherwise the one whose name or code is nearest.
func meant(pages []Page, word string) []string {
	var near, words []string
	lower := strings.ToLower(word)
	for _, p := range pages {
		if lower != "" && (strings.Contains(p.Name, lower) || strings.Contains(strings.ToLower(p.Title), lower)) {
			near = append(near, p.Name)
		}
		words = append(words, p.Name)
		if p.Code != "" {
			words = append(words, p.Code)
		}
	}
	if len(near) > 0 {
		return near[:min(most, len(near))]
	}
	for _, typed := range []string{lower, strings.ToUpper(word)} {
		if n := text.Nearest(typed, words); n != "" {
			return []string{n}
		}
	}
	return nil
}
