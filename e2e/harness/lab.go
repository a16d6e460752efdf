// Package harness runs scenarios on real swarms: it installs the plugin into a
// Docker configuration of its own, brings sandboxes up, runs commands as a user
// would, reads the state behind them from Docker's API, cleans up between
// tests, and on failure writes down what the swarm looked like.
//
// Rules for a scenario: state is checked before output; no bare sleeps, wait
// with gotest.tools/v3/poll; whatever a test breaks (a stopped node) it mends
// in a t.Cleanup.
//
// Environment:
//
//	E2E_ENGINE  distro (the machine's own dockerd, default), a Debian suite
//	            (made by hack/engine-root), or the directory of an engine root
//	E2E_KEEP    1 leaves the sandboxes up, and uses those of an earlier run
//	E2E_PREFIX  prefix of sandbox names (default "e2e")
//	E2E_DOCKER  the Docker CLI (default bin/docker, v28.5.2)
//	E2E_PLUGIN  the plugin (default: built from this checkout)
package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/icmd"
)

// A Lab is what the swarms of one test binary share: the Docker configuration
// with the plugin in it, and the engine they run.
type Lab struct {
	// Root is the checkout.
	Root string
	// Config is DOCKER_CONFIG.
	Config string

	docker string
	engine string // root file system; empty for the machine's own engine
	label  string // names the engine in sandbox names
	prefix string
	keep   bool
	boxes  string // where the sandboxes are kept; empty for the usual place

	// mu is one for all labs apart: sandboxes that come up at the same moment
	// in different places could choose the same subnet.
	mu     *sync.Mutex
	swarms map[string]*upOnce
	apart  []*Lab
}

type upOnce struct {
	swarm *Swarm
	err   error
}

// sandboxRootEnv tells the plugin where the sandboxes are kept.
const sandboxRootEnv = "DOCKER_SWARMNET_SANDBOX_ROOT"

// Open prepares a lab. It needs root, because sandboxes do.
func Open() (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("scenarios make network namespaces: run them as root")
	}
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	l := &Lab{
		Root:   root,
		docker: env("E2E_DOCKER", filepath.Join(root, "bin", "docker")),
		prefix: env("E2E_PREFIX", "e2e"),
		keep:   os.Getenv("E2E_KEEP") == "1",
		mu:     &sync.Mutex{},
		swarms: map[string]*upOnce{},
	}
	if err := l.chooseEngine(env("E2E_ENGINE", "distro")); err != nil {
		return nil, err
	}
	return l, l.install()
}

// Main is the body of TestMain: it opens a lab, runs the tests and takes down
// whatever they brought up. It returns the exit code.
func Main(m *testing.M, opened func(*Lab)) int {
	l, err := Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	opened(l)
	code := m.Run()
	if err := l.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		if code == 0 {
			code = 1
		}
	}
	return code
}

// Apart returns a lab with a Docker configuration and a place for sandboxes of
// its own, so that their names are free to choose. It closes with this one.
func (l *Lab) Apart(name string) (*Lab, error) {
	other := &Lab{
		Root: l.Root, Config: l.Config + "-" + name, docker: l.docker, engine: l.engine, label: l.label,
		prefix: l.prefix, keep: l.keep, mu: l.mu, swarms: map[string]*upOnce{},
		boxes: filepath.Join("/var/lib/docker-swarmnet", strings.Join([]string{l.prefix, l.label, name}, "-")),
	}
	l.apart = append(l.apart, other)
	return other, other.link()
}

// Close takes every sandbox of the lab down, unless E2E_KEEP is 1.
func (l *Lab) Close() error {
	if l.keep {
		fmt.Fprintf(os.Stderr, "e2e: sandboxes are kept; DOCKER_CONFIG=%s\n", l.Config)
		return nil
	}
	var errs []error
	for _, other := range l.apart {
		errs = append(errs, other.Close())
	}
	for name, up := range l.swarms {
		if up.swarm == nil {
			continue
		}
		if r := l.run("", 5*time.Minute, "swarmnet", "sandbox", "down", name); r.ExitCode != 0 {
			errs = append(errs, fmt.Errorf("sandbox down: %s", r))
		}
	}
	if l.boxes != "" {
		errs = append(errs, os.RemoveAll(l.boxes))
	}
	return errors.Join(append(errs, os.RemoveAll(l.Config))...)
}

func (l *Lab) chooseEngine(engine string) (err error) {
	l.label = engine
	if strings.ContainsRune(engine, '/') {
		l.label = filepath.Base(engine)
	}
	l.engine, err = engineRoot(l.Root, engine)
	return err
}

// engineRoot returns the root file system of an engine, as E2E_ENGINE names
// it; empty for the machine's own.
func engineRoot(checkout, engine string) (string, error) {
	switch {
	case engine == "distro":
		return "", nil
	case strings.ContainsRune(engine, '/'):
		return engine, nil
	}
	cmd := exec.Command(filepath.Join(checkout, "hack", "engine-root"), engine)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("engine root of %q: %w", engine, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// OtherEngine names an engine that this lab does not run by itself, for
// scenarios with several.
func (l *Lab) OtherEngine() string {
	if l.label == "trixie" {
		return "distro"
	}
	return "trixie"
}

// install builds what is missing and links the plugin into a Docker
// configuration of the lab's own. Its path is the same in every run, so that
// kept sandboxes are found again.
func (l *Lab) install() error {
	var targets []string
	if os.Getenv("E2E_PLUGIN") == "" {
		targets = append(targets, "build")
	}
	if os.Getenv("E2E_DOCKER") == "" {
		targets = append(targets, "bin/docker")
	}
	if len(targets) > 0 {
		cmd := exec.Command("make", append([]string{"-s", "-C", l.Root}, targets...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make %s: %w\n%s", strings.Join(targets, " "), err, out)
		}
	}
	l.Config = filepath.Join(os.TempDir(), "docker-swarmnet-"+l.prefix+"-"+l.label)
	return l.link()
}

// link puts the plugin into the lab's Docker configuration.
func (l *Lab) link() error {
	plugins := filepath.Join(l.Config, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	link := filepath.Join(plugins, "docker-swarmnet")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(env("E2E_PLUGIN", filepath.Join(l.Root, "bin", "docker-swarmnet")), link)
}

// Command is a docker command in the lab, aimed at a docker context (empty for
// none), that has not been run yet.
func (l *Lab) Command(dockerContext string, args ...string) icmd.Cmd {
	return icmd.Cmd{Command: append([]string{l.docker}, args...), Env: l.Environ(dockerContext)}
}

func (l *Lab) run(dockerContext string, timeout time.Duration, args ...string) *icmd.Result {
	return icmd.RunCmd(l.Command(dockerContext, args...), icmd.WithTimeout(timeout))
}

// Environ is this process's environment, aimed at a docker context of the lab
// (empty for none).
func (l *Lab) Environ(dockerContext string) []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DOCKER_") {
			out = append(out, v)
		}
	}
	out = append(out, "DOCKER_CONFIG="+l.Config)
	if l.boxes != "" {
		out = append(out, sandboxRootEnv+"="+l.boxes)
	}
	if dockerContext != "" {
		out = append(out, "DOCKER_CONTEXT="+dockerContext)
	}
	return out
}

// checkout finds the directory of the main module above the working directory.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "install.sh")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside a checkout of docker swarmnet")
		}
		dir = filepath.Dir(dir)
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// DockerBinary is the path of the Docker CLI that the scenarios use.
func (l *Lab) DockerBinary() string { return l.docker }
