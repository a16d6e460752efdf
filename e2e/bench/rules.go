package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/docker/docker/client"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// What the rules of check may cost at scale 1, and how much more each of a
// swarm may cost that is larger.
const (
	maxRules  = time.Second // of CPU
	maxGrowth = 2           // times the cost of each service at scale 1
)

// byRules measures what check's rules cost by themselves, on swarms of one,
// two and four times the simulated size, and what the whole command takes.
func (b bench) byRules() error {
	fmt.Printf("\n%-22s %9s %9s %12s %12s %12s %9s\n", "THE RULES OF CHECK", "SERVICES", "TASKS", "CPU", "ALLOCATED", "PER SERVICE", "COMMAND")
	var first time.Duration
	for _, scale := range []float64{1, 2, 4} {
		e := simengine.New(simengine.Options{Scale: scale})
		took, alloc, rss, err := b.rulesOn(e, fmt.Sprintf("rules%.0f", scale))
		if err != nil {
			return err
		}
		each := took / time.Duration(len(e.Services))
		fmt.Printf("%-22s %9d %9d %12s %9d MB %12s %6d MB\n", fmt.Sprintf("%.0f×", scale), len(e.Services), len(e.Tasks),
			round(took), alloc>>20, each.Round(100*time.Nanosecond), rss>>20)
		switch {
		case first == 0:
			first = each
			if took > maxRules || rss > maxRSS {
				return fmt.Errorf("the rules take %s and check %d MB, where %s and %d MB are allowed", took, rss>>20, maxRules, maxRSS>>20)
			}
		case float64(each) > maxGrowth*float64(first):
			return fmt.Errorf("the rules take %s for each service, %s at scale 1: they do not grow linearly", each, first)
		}
	}
	return nil
}

// rulesOn returns the CPU time and the memory that the rules take, and the
// most memory that the command holds. The least of five runs counts: the CPU
// time of a process holds what its garbage collector does for others.
func (b bench) rulesOn(e *simengine.Engine, name string) (took time.Duration, alloc uint64, rss int64, err error) {
	socket := filepath.Join(b.config, name+".sock")
	stop, err := e.Serve(socket)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, err := lookAt(socket)
	if err != nil {
		return 0, 0, 0, err
	}
	in := check.Input{Snapshots: []*swarm.Snapshot{s}, Kernels: map[string]check.Kernel{name: {IPVS: true}}}
	var all []time.Duration
	for range 5 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := cpu()
		check.Run(in, check.Rules())
		all = append(all, cpu()-began)
		runtime.ReadMemStats(&after)
		alloc = after.TotalAlloc - before.TotalAlloc
	}
	b.context = ""
	rss, err = b.memory("--host", "unix://"+socket, "swarmnet", "check", "--fail-on", "never")
	return slices.Min(all), alloc, rss, err
}

func lookAt(socket string) (s *swarm.Snapshot, err error) {
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, api.Close()) }()
	return engine.New("sim", api).Look(context.Background())
}

// cpu is the time that this process has had of the machine's processors.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no process of its own
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
