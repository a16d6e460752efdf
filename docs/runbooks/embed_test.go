package runbooks

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
)

// Every finding has a page by its name, which begins with its code.
func TestEveryCodeHasAPage(t *testing.T) {
	for _, r := range check.Rules() {
		page, err := Files.ReadFile(r.Name + ".md")
		assert.Check(t, err, r.Code)
		assert.Check(t, strings.HasPrefix(string(page), "# "+r.Code+": "), "%s.md does not begin with %q", r.Name, "# "+r.Code+": ")
	}
}

// A page that begins with a code is that code's page.
func TestEveryPageOfACodeHasTheCode(t *testing.T) {
	names, err := fs.Glob(Files, "*.md")
	assert.NilError(t, err)
	heading := regexp.MustCompile(`^# (SN\d+): `)
	for _, name := range names {
		page, err := Files.ReadFile(name)
		assert.NilError(t, err)
		code := heading.FindStringSubmatch(string(page))
		if code == nil {
			continue
		}
		r, known := check.RuleOf(code[1])
		assert.Check(t, known, "%s: there is no code %s", name, code[1])
		assert.Check(t, is.Equal(name, r.Name+".md"))
	}
}
