package umlguest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// runInit is process 1: it makes a machine of the kernel, starts the agent and
// from then on buries the processes that have lost their parent. It returns
// only when the guest is of no use any more.
func runInit() error {
	cfg, err := configFromEnv()
	if err != nil {
		return err
	}
	if err := os.Setenv("PATH", searchPath); err != nil {
		return err
	}
	steps := []struct {
		what string
		do   func(Config) error
	}{
		{"root file system", enterRoot},
		{"file systems", mountSystem},
		{"control groups", setUpCgroups},
		{"files", writeFiles},
		{"kernel modules", loadModules},
		{"switch", makeSwitch},
	}
	for _, s := range steps {
		if err := s.do(cfg); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}

	agent := exec.Command(self, verbGroup, verbAgent)
	agent.Stdout, agent.Stderr = os.Stdout, os.Stderr
	if err := agent.Start(); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	return reap(agent.Process.Pid)
}

// reap waits for every process that ends, until the agent does.
func reap(agent int) error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case pid == agent:
			return fmt.Errorf("the agent ended (exit %d, signal %d)", status.ExitStatus(), status.Signal())
		}
	}
}

// writeFiles writes the few files of the root that are about a machine's own
// surroundings, into the layer in memory.
func writeFiles(cfg Config) error {
	// Nothing listens at port 53 of the switch, which therefore says so at
	// once: without that every look-up of an image's digest waits 10 s before
	// the engine goes on with the image it has.
	files := map[string]string{
		"/etc/resolv.conf": "nameserver " + cfg.Switch.Addr().String() + "\n",
		"/etc/hosts":       "127.0.0.1 localhost\n",
		"/etc/hostname":    "uml\n",
	}
	for name, text := range files {
		// Often a link into /run.
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"iptables", "ip6tables", "iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore"} {
		family, action, _ := strings.Cut(name, "-")
		legacy := family + "-legacy"
		if action != "" {
			legacy += "-" + action
		}
		target, err := exec.LookPath(legacy)
		if err != nil {
			continue
		}
		if err := os.Symlink(target, binDir+"/"+name); err != nil {
			return err
		}
	}
	return unix.Sethostname([]byte("uml"))
}

// makeSwitch joins the nodes' bridge and the cable to the machine outside in a
// network namespace of their own, so that no netfilter rule of a node is in
// their way.
func makeSwitch(cfg Config) error {
	// New network namespaces take it over from this one.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	if err := waitForLink(cable, 10*time.Second); err != nil {
		return err
	}
	err := ipAll(
		[]string{"link", "set", "lo", "up"},
		[]string{"netns", "add", switchNS},
		[]string{"-n", switchNS, "link", "set", "lo", "up"},
		[]string{"-n", switchNS, "link", "add", bridge, "type", "bridge"},
		[]string{"-n", switchNS, "addr", "add", cfg.Switch.String(), "dev", bridge},
		[]string{"-n", switchNS, "link", "set", bridge, "up"},
		[]string{"link", "set", cable, "netns", switchNS},
		[]string{"-n", switchNS, "link", "set", cable, "master", bridge, "up"},
	)
	if err != nil {
		return err
	}
	// A resolver asks for IPv4 and IPv6 at once. Refusals are sent once a
	// second only (icmp_ratelimit, icmp(7)), and for the other one it would
	// wait 5 s.
	return inNetns(switchNS, func() error {
		return writeControl("/proc/sys/net/ipv4/icmp_ratelimit", "0")
	})
}

// waitForLink waits until the kernel has made its network device.
func waitForLink(name string, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		_, err := os.Stat("/sys/class/net/" + name)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the kernel has no network device %q after %s", name, limit)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ipAll runs ip(8) once for each list of arguments, until one fails.
func ipAll(commands ...[]string) error {
	for _, args := range commands {
		if err := run("ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// run runs a program; its error holds what the program said.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
