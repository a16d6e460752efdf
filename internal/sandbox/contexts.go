package sandbox

import (
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// contextNames are the docker contexts of a sandbox and where they point.
func contextNames(st *State) map[string]string {
	names := make(map[string]string, len(st.Nodes)+1)
	for i, n := range st.Nodes {
		names[n.Name] = n.Host
		if i == 0 {
			names[st.Name] = n.Host
		}
	}
	return names
}

// contextsFree says whether contexts are in the way that are not ours.
func (s *Sandboxes) contextsFree(st *State) error {
	contexts := s.opts.Contexts(st.DockerConfig)
	for name := range contextNames(st) {
		host, taken, err := contexts.Host(name)
		if err != nil {
			return err
		}
		if taken {
			return problem.New("sandbox %q needs a docker context %q, and there is one already (%s)", st.Name, name, text.Clean(host)).
				WithNext("Choose another name for the sandbox, or run 'docker context rm %s'.", name)
		}
	}
	return nil
}

func (s *Sandboxes) makeContexts(st *State) error {
	contexts := s.opts.Contexts(st.DockerConfig)
	for name, host := range contextNames(st) {
		if err := contexts.Create(name, host, fmt.Sprintf("docker swarmnet sandbox %q", st.Name)); err != nil {
			return fmt.Errorf("make the docker context %q: %w", name, err)
		}
	}
	return nil
}
