package metadata

import (
	"os"
	"strconv"

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
	if len(os.Args) != 2 || os.Args[1] != metadata.MetadataSubcommandName {
		return
	}
	if _, err := os.Stdout.WriteString(answer()); err != nil {
		os.Exit(1) //nolint:forbidigo // nothing of main is initialized yet
	}
	os.Exit(0) //nolint:forbidigo // the same
}

// answer is the metadata as docker/cli's plugin framework writes it, which
// answers where docker passes more arguments. Package encoding/json would come
// late and cost half of the time. What is quoted here is plain ASCII, for which
// Go and JSON have the same form.
func answer() string {
	p := Plugin()
	out := "{"
	for i, f := range [][2]string{
		{"SchemaVersion", p.SchemaVersion},
		{"Vendor", p.Vendor},
		{"Version", p.Version},
		{"ShortDescription", p.ShortDescription},
		{"URL", p.URL},
	} {
		if i > 0 {
			out += ","
		}
		out += "\n     " + strconv.Quote(f[0]) + ": " + strconv.Quote(f[1])
	}
	return out + "\n}\n"
}
