package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
)

// What deploying a stack may cost.
const (
	stackServices = 20
	stackReplicas = 3
	// monitor is how long the swarm watches a new task (swarmkit's default), and
	// how long a verdict therefore comes after the last task runs.
	monitor      = 5 * time.Second
	maxFloor     = 1.15 // times what docker's detached deploy takes until all tasks run
	minFaster    = 8.0  // times faster than docker's waiting deploy
	maxNoOpCalls = 8
	maxNoOp      = 300 * time.Millisecond
	planServices = 200
	maxPlan      = time.Second
)

// stackFile writes a Compose file of services that are all alike.
func (b bench) stackFile(services, replicas int) (string, error) {
	var f strings.Builder
	f.WriteString("version: \"3.8\"\nservices:\n")
	for i := range services {
		fmt.Fprintf(&f, "  s%03d: {image: swarmnet/demo, deploy: {replicas: %d}}\n", i, replicas)
	}
	// A /24 is too small for the larger one.
	f.WriteString("networks: {default: {ipam: {config: [{subnet: 172.30.0.0/20}]}}}\n")
	path := filepath.Join(b.config, fmt.Sprintf("stack%d.yaml", services))
	return path, os.WriteFile(path, []byte(f.String()), 0o600)
}

// byStack measures the deploy of a stack beside docker's, once each, and then
// what it costs to deploy it again without a change.
func (b bench) byStack() error {
	file, err := b.stackFile(stackServices, stackReplicas)
	if err != nil {
		return err
	}
	args := []string{"--compose-file", file, "--resolve-image", "never"}
	floor, err := b.deployStack(append([]string{"stack", "deploy", "--detach=true"}, args...), true)
	if err != nil {
		return err
	}
	theirs, err := b.deployStack(append([]string{"stack", "deploy", "--detach=false"}, args...), false)
	if err != nil {
		return err
	}
	begin := time.Now()
	own := append([]string{"swarmnet", "deploy", "--progress", "quiet"}, args...)
	if err := b.do(append(own, "many")...); err != nil {
		return err
	}
	ours := time.Since(begin)
	fmt.Printf("\nA stack of %d services × %d: all tasks run %s after \"docker stack deploy --detach\";\n"+
		"\"docker stack deploy --detach=false\" takes %s, \"docker swarmnet deploy -c\" %s until its verdict:\n"+
		"%.2f times the first without the %s of watching (goal %.2f), %.1f times faster than the second (goal %.0f)\n",
		stackServices, stackReplicas, round(floor), round(theirs), round(ours),
		float64(ours-monitor)/float64(floor), monitor, maxFloor, float64(theirs)/float64(ours), minFaster)
	return errors.Join(b.noOp(own), b.do("swarmnet", "rm", "--stack", "many", "--progress", "quiet"))
}

// deployStack deploys the stack and removes it again, untimed. running: the time
// is that until all its tasks run.
func (b bench) deployStack(args []string, running bool) (time.Duration, error) {
	begin := time.Now()
	if err := b.do(append(args, "many")...); err != nil {
		return 0, err
	}
	for deadline := begin.Add(5 * time.Minute); running; time.Sleep(100 * time.Millisecond) {
		out, err := b.command("service", "ls", "--format", "{{.Replicas}}").Output()
		if err != nil {
			return 0, err
		}
		if strings.Count(string(out), fmt.Sprintf("%d/%[1]d\n", stackReplicas)) == stackServices {
			break
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the stack does not run after %s:\n%s", time.Since(begin), out)
		}
	}
	took := time.Since(begin)
	return took, b.do("swarmnet", "rm", "--stack", "many", "--progress", "quiet")
}

// noOp measures a deploy that has nothing to do.
func (b bench) noOp(own []string) error {
	host, err := b.command("context", "inspect", b.context, "--format", "{{.Endpoints.docker.Host}}").Output()
	if err != nil {
		return err
	}
	engine := openTap(strings.TrimPrefix(strings.TrimSpace(string(host)), "unix://"))
	defer engine.server.Close()
	if err := b.do(append(append([]string{"--host", engine.host()}, own...), "many")...); err != nil {
		return err
	}
	calls := engine.asked.Load()
	took, err := medianOf(9, func() error { return b.do(append(own, "many")...) })
	if err != nil {
		return err
	}
	fmt.Printf("The same again, with nothing to do: %s (goal %s), %d calls (goal %d)\n", round(took), maxNoOp, calls, maxNoOpCalls)
	if calls > maxNoOpCalls {
		return fmt.Errorf("a deploy without changes makes %d calls", calls)
	}
	return nil
}

// byPlan measures the plan of a large stack on a simulated swarm.
func (b bench) byPlan() (err error) {
	socket := filepath.Join(b.config, "plan.sock")
	stop, err := simengine.New(simengine.Options{}).Serve(socket)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	file, err := b.stackFile(planServices, stackReplicas)
	if err != nil {
		return err
	}
	b.context = ""
	took, err := medianOf(5, func() error {
		return b.do("--host", "unix://"+socket, "swarmnet", "plan", "-c", file, "--resolve-image", "never", "many")
	})
	if err != nil {
		return err
	}
	fmt.Printf("\nA plan of %d services on the large simulated swarm: %s (goal %s)\n", planServices, round(took), maxPlan)
	return nil
}
