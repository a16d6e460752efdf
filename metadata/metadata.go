// Package metadata says what this plugin is: to Docker, which asks every
// plugin before it lists or runs it, and to the user of "version".
package metadata

import "github.com/docker/cli/cli-plugins/metadata"

const (
	// Name is the word that Docker knows the plugin by: docker NAME.
	Name = "swarmnet"
	// Short is the line shown in "docker --help".
	Short = "Overlay networks of Docker Swarm"
	// Vendor is shown by "docker info".
	Vendor = "swarmnet"
	// URL is the home of the project.
	URL = "https://github.com/swarmnet/docker-swarmnet"
)

// Version and Commit are set by the linker (see Makefile).
var (
	Version = "dev"
	Commit  = "unknown"
)

// Plugin returns what Docker's plugin handshake asks for. The schema version
// is the only one that Docker CLIs before 28.4.1 accept.
func Plugin() metadata.Metadata {
	return metadata.Metadata{
		SchemaVersion:    "0.1.0",
		Vendor:           Vendor,
		Version:          Version,
		ShortDescription: Short,
		URL:              URL,
	}
}
