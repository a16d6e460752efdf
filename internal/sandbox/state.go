package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const (
	// defaultRoot holds one folder per sandbox.
	defaultRoot = "/var/lib/docker-swarmnet/sandbox"
	// rootEnv puts the sandboxes somewhere else; for tests.
	rootEnv   = "DOCKER_SWARMNET_SANDBOX_ROOT"
	stateFile = "state.json"
	// stateVersion is raised when an older plugin could no longer take down
	// what the state file describes.
	stateVersion = 1
)

// Phase says how far the making of a sandbox has come.
type Phase string

// The phases.
const (
	PhaseStarting Phase = "starting"
	PhaseReady    Phase = "ready"
	PhaseStopping Phase = "stopping"
)

// State is all that is recorded about one sandbox: enough to take it down
// without the process that made it.
type State struct {
	Version int
	// ID is eight hexadecimal digits that no two sandboxes share; kernel
	// objects whose names are global (cgroups, links) are named after it.
	ID      string
	Name    string
	Driver  string
	Phase   Phase
	Created time.Time
	// BootID is the kernel's boot id when the sandbox was made. Under another
	// one none of the recorded processes, mounts and links exist.
	BootID string
	// Subnet holds the nodes and, as its first address, this machine.
	Subnet   netip.Prefix
	Managers int
	// Engine is the root file system whose dockerd runs; empty for this machine's own.
	Engine string `json:",omitempty"`
	// DockerConfig is the Docker configuration folder with the contexts.
	DockerConfig string `json:",omitempty"`
	// HostLink is the link of this machine that leads to the nodes.
	HostLink string `json:",omitempty"`
	// Maker is the command that is bringing the sandbox up.
	Maker Process
	// Processes are those that belong to no single node (a guest kernel).
	Processes []Process `json:",omitempty"`
	Nodes     []*Node

	// Dir is the sandbox's folder; all files of the sandbox are below it.
	Dir string `json:"-"`
}

// Node is one machine of a sandbox. The first State.Managers nodes are managers.
type Node struct {
	// Name is the name of the node's docker context: NAME-n1 of sandbox NAME.
	Name string
	// Hostname is what the node calls itself in its swarm.
	Hostname string
	Address  netip.Addr
	// Dir is the node's folder below State.Dir.
	Dir string
	// Host is where the engine answers, as in DOCKER_HOST.
	Host string `json:",omitempty"`
	// Log is the file that the engine writes its log to.
	Log string `json:",omitempty"`
	// Engine is the dockerd process; zero when a driver cannot see it from here.
	Engine Process
	// Stopped and Cut are the faults in force.
	Stopped bool `json:",omitempty"`
	Cut     bool `json:",omitempty"`
}

// Node returns the node of that name, or nil.
func (s *State) Node(name string) *Node {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Gateway is this machine's address in the sandbox's subnet.
func (s *State) Gateway() netip.Addr { return s.Subnet.Addr().Next() }

// Save writes the state, whole or not at all.
func (s *State) Save() error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.Dir, stateFile+".new")
	if err := os.WriteFile(tmp, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(s.Dir, stateFile))
}

// stateRoot returns the folder that holds the sandboxes.
func stateRoot() (string, error) {
	root := os.Getenv(rootEnv)
	if root == "" {
		return defaultRoot, nil
	}
	return filepath.Abs(root)
}

// loadState reads the state of one sandbox. A folder without a state file is
// one whose maker was killed at its very beginning; it holds nothing.
func loadState(root, name string) (*State, error) {
	dir := filepath.Join(root, name)
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, statErr := os.Stat(dir); statErr == nil {
			return &State{Version: stateVersion, Name: name, Dir: dir, Driver: DriverNamespaces, Phase: PhaseStarting}, nil
		}
		return nil, fmt.Errorf("no sandbox %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	st := &State{Dir: dir}
	if err := json.Unmarshal(data, st); err != nil {
		return nil, problem.New("the state of sandbox %q in %s cannot be read: %w", name, dir, err)
	}
	if st.Version > stateVersion {
		return nil, problem.New("sandbox %q was made by a newer version of docker swarmnet", name)
	}
	for _, n := range st.Nodes {
		// States of before there were short hostnames do not tell it.
		n.Hostname = cmp.Or(n.Hostname, n.Name)
	}
	return st, nil
}

// sandboxNames lists the sandboxes below root by name; none when root is absent.
func sandboxNames(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}
