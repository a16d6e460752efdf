package check

import (
	"path"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// Choose returns the rules that words name: codes, names and groups. No word
// stands for all.
func Choose(words []string) ([]Rule, error) {
	if len(words) == 0 {
		return Rules(), nil
	}
	chosen := map[string]bool{}
	for _, w := range words {
		found := false
		for _, r := range Rules() {
			if strings.EqualFold(r.Code, w) || strings.EqualFold(r.Name, w) || strings.EqualFold(r.Group, w) {
				chosen[r.Code], found = true, true
			}
		}
		if !found {
			return nil, noRule(w)
		}
	}
	return slices.DeleteFunc(Rules(), func(r Rule) bool { return !chosen[r.Code] }), nil
}

func noRule(word string) error {
	return problem.New("there is no code %q", word).
		WithNext("Run 'docker swarmnet check --list' to see the codes there are.").WithCode(problem.Usage)
}

// Ignore is a finding that somebody does not want to hear of.
type Ignore struct {
	Code string
	// Object is the name of the object, or a pattern of it with "*"; empty
	// stands for all.
	Object string
}

// ParseIgnore reads "SN415" or "SN415=web*". A rule's name will do for its code.
func ParseIgnore(s string) (Ignore, error) {
	word, object, _ := strings.Cut(strings.TrimSpace(s), "=")
	r, ok := RuleOf(word)
	if !ok {
		return Ignore{}, noRule(word)
	}
	if _, err := path.Match(object, ""); err != nil {
		return Ignore{}, problem.New("%q: the pattern %q cannot be read", s, object).WithCode(problem.Usage)
	}
	return Ignore{r.Code, object}, nil
}

func (i Ignore) covers(f Finding) bool {
	if i.Code != f.Rule.Code {
		return false
	}
	// The pattern was read before.
	match, _ := path.Match(i.Object, f.Object)
	return i.Object == "" || match
}

// Without returns the report without what is ignored, and how many findings
// that were. A rule that is ignored as a whole is not missed either where it
// cannot tell.
func (r Report) Without(ignores []Ignore) (Report, int) {
	before := len(r.Findings)
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool {
		return slices.ContainsFunc(ignores, func(i Ignore) bool { return i.covers(f) })
	})
	r.Unknown = slices.DeleteFunc(slices.Clone(r.Unknown), func(u Unknown) bool {
		return slices.Contains(ignores, Ignore{Code: u.Rule.Code})
	})
	return r, before - len(r.Findings)
}

// Touching returns the report with only what touches one of the networks.
func (r Report) Touching(ids map[string]bool) Report {
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool {
		return !slices.ContainsFunc(f.Networks, func(id string) bool { return ids[id] })
	})
	return r
}
