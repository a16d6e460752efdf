package metadata

import (
	"encoding/json"
	"os"

	"github.com/docker/cli/cli-plugins/metadata"
)

// Docker asks a plugin for its metadata before every call of it, and before
// "docker --help", by starting it. This answers before the packages that the
// rest of the plugin needs are initialized, which takes ten times as long as the
// answer. The order is the language's: of the packages that are ready, the one
// whose import path sorts first is initialized next, so that this one, which
// needs little, comes before all that needs more (Go specification, "Program
// initialization"; docs/adr/0004).
func init() {
	if len(os.Args) == 2 && os.Args[1] == metadata.MetadataSubcommandName {
		if err := answer(os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// answer writes the metadata as docker/cli's plugin framework does, which
// answers where docker passes more arguments.
func answer(w *os.File) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "     ")
	return enc.Encode(Plugin())
}
