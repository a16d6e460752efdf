package check

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

func TestRulesAreWhole(t *testing.T) {
	codes, names := map[string]bool{}, map[string]bool{}
	groups := map[string]string{"1": GroupCluster, "2": GroupAddresses, "3": GroupNetworks, "4": GroupServices, "5": GroupAttachments}
	code := regexp.MustCompile(`^SN[1-5]\d\d$`)
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	last := ""
	for _, r := range Rules() {
		assert.Check(t, code.MatchString(r.Code), r.Code)
		assert.Check(t, name.MatchString(r.Name), "%s: %s", r.Code, r.Name)
		assert.Check(t, !codes[r.Code] && !names[r.Name], "%s %s stands there twice", r.Code, r.Name)
		assert.Check(t, r.Code > last, "%s comes after %s", r.Code, last)
		assert.Check(t, is.Equal(r.Group, groups[r.Code[2:3]]), r.Code)
		assert.Check(t, slices.Contains(Severities(), r.Severity), r.Code)
		assert.Check(t, r.Title != "" && !strings.HasSuffix(r.Title, "."), r.Code)
		assert.Check(t, len(r.Reads) > 0, r.Code)
		assert.Check(t, strings.HasPrefix(r.Why, "https://"), r.Code)
		codes[r.Code], names[r.Name], last = true, true, r.Code
	}
	assert.Check(t, len(codes) >= 40, "%d rules", len(codes))
}

func TestRuleOf(t *testing.T) {
	for _, word := range []string{"SN201", "sn201", "network-full", "Network-Full"} {
		r, ok := RuleOf(word)
		assert.Check(t, ok && r.Code == "SN201", word)
	}
	_, ok := RuleOf("SN999")
	assert.Check(t, !ok)
}
