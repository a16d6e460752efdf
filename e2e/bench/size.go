package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
)

// What one look may cost, whatever the size of the swarm.
const (
	maxCalls = 6
	maxRSS   = 400 << 20 // bytes
	maxCurl  = 3.0       // times what curl needs to read the same answers
	maxWide  = 1.5       // times one context, for many
)

// contexts is how many swarms are looked at side by side, wait what each
// answer takes then.
const (
	contexts = 20
	wait     = 50 * time.Millisecond
)

// bySize measures reading commands on a simulated swarm of 200 nodes, 1,000
// networks, 5,000 services and 20,000 tasks, beside curl and docker's own
// commands.
func (b bench) bySize() (err error) {
	const runs = 5
	e := simengine.New(simengine.Options{})
	socket := filepath.Join(b.config, "sim.sock")
	stop, err := e.Serve(socket)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.context = "sim"
	if err := b.do("context", "create", b.context, "--docker", "host=unix://"+socket); err != nil {
		return err
	}
	curl, err := medianOf(runs, func() error { return curlAnswers(socket) })
	if err != nil {
		return err
	}
	theirs, err := medianOf(runs, func() error { return errors.Join(b.do("network", "ls"), b.do("service", "ls")) })
	if err != nil {
		return err
	}
	fmt.Printf("\nOn %d nodes, %d networks, %d services, %d tasks (simulated). curl reads the same answers in %s,\n\"docker network ls\" and \"docker service ls\" take %s.\n",
		len(e.Nodes), len(e.Networks), len(e.Services), len(e.Tasks), round(curl), round(theirs))
	fmt.Printf("%-18s %5s %5s %12s %8s %6s %8s %8s\n", "WHAT", "RUNS", "CALLS", "SWARMNET", "PER CURL", "GOAL", "PER LS", "MEMORY")
	for _, args := range [][]string{{"ls"}, {"addresses"}, {"ps", "proxy"}} {
		calls := 0
		ours, err := medianOf(runs, func() error {
			e.Reset()
			if err := b.do(append([]string{"swarmnet"}, args...)...); err != nil {
				return err
			}
			calls = 0
			for _, n := range e.Calls() {
				calls += n
			}
			return nil
		})
		if err != nil {
			return err
		}
		rss, err := b.memory(append([]string{"swarmnet"}, args...)...)
		if err != nil {
			return err
		}
		fmt.Printf("%-18s %5d %5d %12s %8.2f %6.2f %8.2f %5d MB\n", strings.Join(args, " "), runs, calls, round(ours),
			float64(ours)/float64(curl), maxCurl, float64(ours)/float64(theirs), rss>>20)
		if calls > maxCalls || rss > maxRSS {
			return fmt.Errorf("%v: %d calls and %d MB, where %d and %d MB are allowed", args, calls, rss>>20, maxCalls, maxRSS>>20)
		}
	}
	return nil
}

// curlAnswers reads what one look reads.
func curlAnswers(socket string) error {
	args := []string{"--silent", "--fail", "--unix-socket", socket}
	for _, path := range []string{"info", "nodes", "networks", "services", `tasks?filters=%7B%22runtime%22%3A%7B%22attachment%22%3Atrue%2C%22container%22%3Atrue%2C%22plugin%22%3Atrue%7D%7D`} {
		args = append(args, "--output", "/dev/null", "http://engine/v1.51/"+path)
	}
	if out, err := exec.Command("curl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("curl: %w\n%s", err, out)
	}
	return nil
}

// byWidth measures a look at many contexts against a look at one, all of them
// slow to answer.
func (b bench) byWidth() (err error) {
	const runs = 7
	var names []string
	for i := range contexts {
		socket := filepath.Join(b.config, fmt.Sprintf("sim%d.sock", i))
		stop, err := simengine.New(simengine.Options{Scale: .01, Index: i, Latency: wait}).Serve(socket)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		names = append(names, fmt.Sprintf("sim%d", i))
		if err := b.do("context", "create", names[i], "--docker", "host=unix://"+socket); err != nil {
			return err
		}
	}
	look := func(names []string) func() error {
		return func() error { return b.do("swarmnet", "ls", "--contexts", strings.Join(names, ",")) }
	}
	one, err := medianOf(runs, look(names[:1]))
	if err != nil {
		return err
	}
	all, err := medianOf(runs, look(names))
	if err != nil {
		return err
	}
	fmt.Printf("\n%d contexts whose engines take %s for an answer: %s, one of them %s: %.2f times as long (goal %.2f)\n",
		contexts, wait, round(all), round(one), float64(all)/float64(one), maxWide)
	return nil
}

// medianOf is the median time of some runs after a first one that warms caches.
func medianOf(runs int, f func() error) (time.Duration, error) {
	var took []time.Duration
	for i := range runs + 1 {
		begin := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, time.Since(begin))
		}
	}
	return median(took), nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
