// Command docker-swarmnet is a Docker CLI plugin for the overlay networks of
// Docker Swarm.
package main

import (
	"os"

	cliplugins "github.com/swarmnet/docker-swarmnet/cli-plugins"
)

func main() {
	os.Exit(cliplugins.Main(os.Args))
}
