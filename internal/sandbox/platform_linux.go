package sandbox

import (
	"os"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// supported says why no sandbox can be made or changed by this user here.
func supported() error {
	if os.Geteuid() != 0 {
		return problem.New("a sandbox makes namespaces, links and mounts, for which it must be root").
			WithNext("Run it as root: 'sudo docker swarmnet sandbox …'.")
	}
	return nil
}
