package runbook

import (
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

const full = "# SN201: a network is full\n" +
	"\n" +
	"<!-- run\ndocker swarmnet create --size 29 small\n-->\n" +
	"\n" +
	"1. Look:\n" +
	"\n" +
	"   <!-- run\n   true\n   -->\n" +
	"   ```console exit=2\n" +
	"   $ docker swarmnet check\n" +
	"   ```\n"

func pages() []Page {
	all := []Page{
		Parse("network-full.md", full),
		Parse("opening-the-ports.md", "# Opening the ports\n"),
		Parse("first-network.md", "# The first network\n"),
	}
	Sort(all)
	return all
}

func TestParse(t *testing.T) {
	p := Parse("network-full.md", full)
	assert.Equal(t, p.Code, "SN201")
	assert.Equal(t, p.Name, "network-full")
	assert.Equal(t, p.Title, "a network is full")
	assert.Equal(t, p.Text, "# SN201: a network is full\n\n1. Look:\n\n   ```console\n   $ docker swarmnet check\n   ```\n")
}

func TestSort(t *testing.T) {
	var names []string
	for _, p := range pages() {
		names = append(names, p.Name)
	}
	assert.DeepEqual(t, names, []string{"first-network", "opening-the-ports", "network-full"})
}

func TestFind(t *testing.T) {
	for _, word := range []string{"network-full", "SN201", "sn201", "Network-Full"} {
		p, err := Find(pages(), word)
		assert.NilError(t, err)
		assert.Equal(t, p.Code, "SN201")
	}
}

func TestFindUnknown(t *testing.T) {
	for _, tc := range []struct{ word, next string }{
		{"SN21", "'docker swarmnet runbook SN201', or"},
		{"frist-network", "'docker swarmnet runbook first-network', or"},
		{"network", "'docker swarmnet runbook first-network' or 'docker swarmnet runbook network-full', or"},
		{"is FULL", "'docker swarmnet runbook network-full', or"},
		{"kubernetes", "Run 'docker swarmnet runbook' to list them."},
		{"", "Run 'docker swarmnet runbook' to list them."},
	} {
		_, err := Find(pages(), tc.word)
		assert.ErrorContains(t, err, "there is no runbook")
		assert.Check(t, is.ErrorContains(err, tc.next), tc.word)
	}
}
