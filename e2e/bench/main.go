// Command bench compares docker swarmnet with docker's own commands on a real
// swarm of three nodes: both run in turn, so that what slows the machine slows
// both, and what counts is the ratio of the medians. It then measures on
// simulated engines what the size of a swarm and the number of contexts cost.
//
//	go run ./e2e/bench DOCKER PLUGIN             as root, on Linux; "make bench"
//	go run ./e2e/bench DOCKER PLUGIN simulated   only what needs no real swarm
//	go run ./e2e/bench DOCKER PLUGIN commands    only commands beside docker's
//	go run ./e2e/bench DOCKER PLUGIN stack       only what is about stacks
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A comparison is one job done by docker and by the plugin.
type comparison struct {
	name string
	runs int
	goal float64 // the ratio that is still good; 0 for none
	// docker and ours are the arguments of docker; the run's service name is
	// appended to those that end in "--name".
	docker, ours []string
	image        []string
	undo         bool // remove the service after each run, untimed
}

func comparisons() []comparison {
	flags := []string{"--network", "docknet", "--no-resolve-image", "--replicas", "3", "--name"}
	detached := append([]string{"--detach"}, flags...)
	waiting := append([]string{"--detach=false", "--quiet"}, flags...)
	image := []string{"swarmnet/demo"}
	return []comparison{
		{name: "version", runs: 40, goal: 2, docker: []string{"version"}, ours: []string{"swarmnet", "version"}},
		{name: "ls", runs: 40, goal: 2.2, docker: []string{"network", "ls"}, ours: []string{"swarmnet", "ls"}},
		{
			name: "deploy, detached", runs: 15, undo: true, image: image,
			docker: append([]string{"service", "create"}, detached...), ours: append([]string{"swarmnet", "deploy"}, detached...),
		},
		{
			name: "deploy, waiting", runs: 4, goal: 1.05, undo: true, image: image,
			docker: append([]string{"service", "create"}, waiting...), ours: append([]string{"swarmnet", "deploy"}, waiting...),
		},
	}
}

type bench struct{ docker, config, context string }

func main() {
	if len(os.Args) > 2 && os.Args[1] == memoryOf {
		if err := printMemory(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	only := strings.Join(os.Args[min(3, len(os.Args)):], " ")
	if len(os.Args) < 3 || !slices.Contains([]string{"", "simulated", "commands", "stack"}, only) {
		fmt.Fprintln(os.Stderr, "usage: bench DOCKER PLUGIN [simulated|commands|stack]")
		os.Exit(125)
	}
	if err := run(os.Args[1], os.Args[2], only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(docker, plugin, only string) (err error) {
	config, err := os.MkdirTemp("", "docker-swarmnet-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(config)) }()
	binary, err := os.ReadFile(plugin)
	if err != nil {
		return err
	}
	dir := filepath.Join(config, "cli-plugins")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "docker-swarmnet"), binary, 0o755); err != nil {
		return err
	}
	b := bench{docker: docker, config: config}
	if only != "simulated" {
		if err := b.live(only); err != nil {
			return err
		}
	}
	if only == "commands" {
		return nil
	}
	if only != "stack" {
		if err := errors.Join(b.bySize(), b.byWidth(), b.byRules()); err != nil {
			return err
		}
	}
	return b.byPlan()
}

// live compares on a real swarm.
func (b bench) live(only string) (err error) {
	if err := b.do("swarmnet", "sandbox", "up", "bench", "--progress", "quiet"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.do("swarmnet", "sandbox", "down", "bench", "--progress", "quiet")) }()
	b.context = "bench"
	for _, args := range [][]string{
		{"swarmnet", "sandbox", "load", "swarmnet/demo", "bench", "--progress", "quiet"},
		{"swarmnet", "create", "docknet", "--progress", "quiet"},
	} {
		if err := b.do(args...); err != nil {
			return err
		}
	}
	if only == "stack" {
		return b.byStack()
	}
	fmt.Printf("%-18s %5s %12s %12s %8s %6s\n", "WHAT", "RUNS", "DOCKER", "SWARMNET", "RATIO", "GOAL")
	for _, c := range comparisons() {
		if err := b.compare(c); err != nil {
			return err
		}
	}
	if only == "commands" {
		return nil
	}
	return b.byStack()
}

// compare prints the medians of both and their ratio.
func (b bench) compare(c comparison) error {
	var theirs, ours []time.Duration
	for i := range c.runs + 1 {
		t, err := b.time(c, fmt.Sprintf("docker%d", i), c.docker)
		if err != nil {
			return err
		}
		o, err := b.time(c, fmt.Sprintf("swarmnet%d", i), c.ours)
		if err != nil {
			return err
		}
		if i > 0 { // the first run warms caches
			theirs, ours = append(theirs, t), append(ours, o)
		}
	}
	t, o := median(theirs), median(ours)
	goal := "-"
	if c.goal > 0 {
		goal = fmt.Sprintf("%.2f", c.goal)
	}
	_, err := fmt.Printf("%-18s %5d %12s %12s %8.2f %6s\n", c.name, c.runs,
		t.Round(100*time.Microsecond), o.Round(100*time.Microsecond), float64(o)/float64(t), goal)
	return err
}

func (b bench) time(c comparison, name string, args []string) (time.Duration, error) {
	args = slices.Clone(args)
	if c.undo {
		args = append(args, name)
	}
	args = append(args, c.image...)
	begin := time.Now()
	if err := b.do(args...); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if !c.undo {
		return took, nil
	}
	if err := b.do("service", "rm", name); err != nil {
		return 0, err
	}
	return took, b.settle()
}

// settle waits until the tasks of the last run have ended: they would slow the
// next one.
func (b bench) settle() error {
	for range 300 {
		out, err := b.command("-c", "bench-n1", "ps", "-q").Output()
		if err != nil || len(out) == 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("containers of the last run are still there after 30 s")
}

func (b bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.docker, args...)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+b.config, "DOCKER_CONTEXT="+b.context, "DOCKER_HOST=")
	return cmd
}

func (b bench) do(args ...string) error {
	out, err := b.command(args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("docker %v: %w\n%s", args, err, out)
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
