package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// SwarmEngine is a node's engine as the joining of a swarm needs it.
type SwarmEngine interface {
	Ping(ctx context.Context) error
	// InitSwarm makes the engine the first manager of a new swarm, whose nodes
	// report to it that often; 0 is the engine's default.
	InitSwarm(ctx context.Context, advertise string, heartbeat time.Duration) error
	// JoinTokens returns the secrets that let another engine join.
	JoinTokens(ctx context.Context) (worker, manager string, err error)
	// JoinSwarm joins the engine to the swarm of the manager at remote.
	JoinSwarm(ctx context.Context, advertise, remote, token string) error
	// ReadyNodes counts the nodes of the swarm that are ready.
	ReadyNodes(ctx context.Context) (int, error)
}

// ImageEngine is a node's engine as the loading of images needs it.
type ImageEngine interface {
	// LoadImages loads an archive of images and returns their names.
	LoadImages(ctx context.Context, archive io.Reader) ([]string, error)
	// ImportImage makes an image of a root file system; changes are
	// Dockerfile instructions.
	ImportImage(ctx context.Context, rootfs io.Reader, name string, changes []string) error
}

// Engine is the engine of one node.
type Engine interface {
	SwarmEngine
	ImageEngine
	Close() error
}

// Contexts are the docker contexts of one Docker configuration.
type Contexts interface {
	// Host returns where a context points, and whether there is one.
	Host(name string) (host string, exists bool, err error)
	Create(name, host, description string) error
	Remove(name string) error
}

// Options are the ways out to all that the sandboxes do not do themselves.
type Options struct {
	// Dial returns the engine at host; name appears in errors.
	Dial func(name, host string) (Engine, error)
	// Contexts returns the contexts kept in that Docker configuration folder.
	Contexts func(dockerConfig string) Contexts
	// DockerConfig is the configuration folder of new sandboxes.
	DockerConfig string
	Events       event.Sink
}

// Sandboxes are the sandboxes of this machine.
type Sandboxes struct {
	root string
	opts Options
}

// Open gives access to the sandboxes. It fails for a user or on an operating
// system that cannot have any.
func Open(opts Options) (*Sandboxes, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	root, err := stateRoot()
	if err != nil {
		return nil, err
	}
	return &Sandboxes{root: root, opts: opts}, nil
}

// Names lists the sandboxes, for completion: no error, no root needed to try.
func Names() []string {
	root, err := stateRoot()
	if err != nil {
		return nil
	}
	names, _ := sandboxNames(root)
	return names
}

// NodeNames lists the nodes of all sandboxes, for completion.
func NodeNames() []string {
	root, err := stateRoot()
	if err != nil {
		return nil
	}
	var nodes []string
	for _, name := range Names() {
		if st, err := loadState(root, name); err == nil {
			for _, n := range st.Nodes {
				nodes = append(nodes, n.Name)
			}
		}
	}
	return nodes
}

// load reads a sandbox's state; the error for one that does not exist names those that do.
func (s *Sandboxes) load(name string) (*State, error) {
	st, err := loadState(s.root, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return st, err
	}
	p := problem.New("there is no sandbox %q", name)
	p.Err = err
	if names, _ := sandboxNames(s.root); len(names) > 0 {
		return nil, p.WithNext("There is: %s. 'docker swarmnet sandbox ls' shows them.", strings.Join(names, ", "))
	}
	return nil, p.WithNext("Run 'docker swarmnet sandbox up %s' to make it.", name)
}

// change locks a sandbox, reads its state and hands it to do. A second command
// on the same sandbox is refused rather than kept waiting.
func (s *Sandboxes) change(name string, do func(*State) error) error {
	if _, err := s.load(name); err != nil {
		return err
	}
	unlock, err := lockDir(filepath.Join(s.root, name), false)
	if errors.Is(err, errLocked) {
		return problem.New("another command is at work on sandbox %q", name).
			WithNext("Wait for it, or stop it, and try again.")
	}
	if err != nil {
		return err
	}
	defer unlock()
	st, err := s.load(name)
	if err != nil {
		return err
	}
	return do(st)
}

// claim makes the folder of a new sandbox, with its subnet chosen, under a lock
// that keeps two commands from choosing the same. The sandbox is returned
// locked.
func (s *Sandboxes) claim(st *State, opts UpOptions) (unlock func(), err error) {
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return nil, err
	}
	unlockRoot, err := lockDir(s.root, true)
	if err != nil {
		return nil, err
	}
	defer unlockRoot()

	st.Dir = filepath.Join(s.root, st.Name)
	if _, err := os.Stat(st.Dir); err == nil {
		return nil, s.exists(st.Name)
	}
	if st.Subnet, err = chooseSubnet(pools(), append(takenPrefixes(), s.subnets()...)); err != nil {
		return nil, problem.New("sandbox %q: %w", st.Name, err)
	}
	st.Nodes = nodesOf(st.Name, st.Subnet, opts.Nodes, opts.ShortHostnames)
	if err := os.Mkdir(st.Dir, 0o700); err != nil {
		return nil, err
	}
	if unlock, err = lockDir(st.Dir, true); err != nil {
		return nil, err
	}
	err = st.Save()
	for _, n := range st.Nodes {
		n.Dir = filepath.Join(st.Dir, strings.TrimPrefix(n.Name, st.Name+"-"))
		err = errors.Join(err, os.Mkdir(n.Dir, 0o700))
	}
	if err = errors.Join(err, st.Save()); err != nil {
		_ = os.RemoveAll(st.Dir)
		unlock()
		return nil, err
	}
	return unlock, nil
}

// exists is the error for a sandbox that is there already.
func (s *Sandboxes) exists(name string) error {
	st, err := loadState(s.root, name)
	if err != nil {
		return err
	}
	switch status := s.status(st); status {
	case StatusRunning:
		return problem.New("sandbox %q is already up: %d nodes", name, len(st.Nodes)).
			WithNext("Use it with 'docker -c %s node ls', or take it down with 'docker swarmnet sandbox down %s'.", name, name)
	default:
		return problem.New("sandbox %q is already there, %s", name, status).
			WithNext("Run 'docker swarmnet sandbox down %s' first.", name)
	}
}

// subnets are those of the other sandboxes, also of such as are half made.
func (s *Sandboxes) subnets() []netip.Prefix {
	var taken []netip.Prefix
	names, _ := sandboxNames(s.root)
	for _, name := range names {
		if st, err := loadState(s.root, name); err == nil && st.Subnet.IsValid() {
			taken = append(taken, st.Subnet)
		}
	}
	return taken
}

func newID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails on the systems that have sandboxes (getrandom(2))
	return hex.EncodeToString(id[:])
}

func newState(opts UpOptions, dockerConfig string) (*State, error) {
	self, err := processOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	return &State{
		Version: stateVersion, ID: newID(), Name: opts.Name, Driver: opts.Driver,
		Phase: PhaseStarting, Created: time.Now().UTC().Truncate(time.Second), BootID: bootID(),
		Managers: opts.Managers, Engine: opts.Engine, DockerConfig: dockerConfig, Maker: self,
	}, nil
}
