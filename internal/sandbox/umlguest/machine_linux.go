package umlguest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is a node in the guest: a network namespace with a cable to the
// switch, a control group, a folder as its disk, and an engine.
type machine struct {
	node Node
	// wired is whether it has a cable. A stopped node has none.
	wired bool
	// ended is closed when the engine has ended; nil before its start.
	ended chan struct{}
}

func (m *machine) running() bool {
	if m.ended == nil {
		return false
	}
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// start makes what the node needs and starts its engine.
func (m *machine) start() error {
	n := m.node
	for _, dir := range []string{n.dir(), n.cgroup() + "/engine", n.cgroup() + "/containers"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(n.dir(), "daemon.json"), []byte("{}\n"), 0o644); err != nil {
		return err
	}
	for _, group := range []string{n.cgroup(), n.cgroup() + "/containers"} {
		if err := delegate(group); err != nil {
			return err
		}
	}
	if err := m.makeNetwork(); err != nil {
		return err
	}
	return m.startEngine()
}

func (m *machine) makeNetwork() error {
	n := m.node
	commands := [][]string{
		{"netns", "add", n.Name},
		{"-n", switchNS, "link", "add", n.port(), "type", "veth", "peer", "name", "eth0", "netns", n.Name},
		{"-n", switchNS, "link", "set", n.port(), "master", bridge},
		{"-n", n.Name, "link", "set", "lo", "up"},
		{"-n", n.Name, "addr", "add", n.Address.String(), "dev", "eth0"},
		{"-n", n.Name, "link", "set", "eth0", "up"},
	}
	if err := ipAll(commands...); err != nil {
		return err
	}
	m.wired = true
	return m.plug(!n.Cut)
}

// plug puts the node's cable into the switch or takes it out: the node sees
// that its link has no carrier and keeps its address and routes. A stopped node
// learns of it from Node.Cut when it starts.
func (m *machine) plug(in bool) error {
	if !m.wired {
		return nil
	}
	state := "down"
	if in {
		state = "up"
	}
	return ipAll([]string{"-n", switchNS, "link", "set", m.node.port(), state})
}

// startEngine starts dockerd by way of runNode.
func (m *machine) startEngine() error {
	word, err := json.Marshal(m.node)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(logsDir, m.node.LogName()), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, verbGroup, verbNode, string(word))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	m.ended = ended
	go func() {
		// How it ended is in its log.
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// stop ends all processes of the node at once and takes away what would not
// outlast a power cut. Its disk stays.
func (m *machine) stop() error {
	n := m.node
	if err := killCgroup(n.cgroup(), 20*time.Second); err != nil {
		return err
	}
	if _, err := os.Stat(n.netns()); err == nil {
		// The link goes with its namespace, but some time later; its name is
		// needed again at the next start.
		if err := ipAll([]string{"-n", switchNS, "link", "del", n.port()}, []string{"netns", "del", n.Name}); err != nil {
			return err
		}
	}
	m.wired = false
	return errors.Join(
		os.RemoveAll(filepath.Join(n.dir(), "exec")),
		os.RemoveAll(filepath.Join(n.dir(), "dockerd.pid")),
	)
}

// killCgroup kills all processes in a control group and below, waits until
// they are gone, and removes the group.
func killCgroup(group string, limit time.Duration) error {
	err := writeControl(group+"/cgroup.kill", "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		events, err := os.ReadFile(group + "/cgroup.events")
		if err != nil {
			return err
		}
		if strings.Contains(string(events), "populated 0") {
			return removeCgroup(group)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes of %s are still there %s after they were killed", group, limit)
		}
	}
}

// removeCgroup removes a control group without processes, the deepest first.
func removeCgroup(group string) error {
	var dirs []string
	err := filepath.WalkDir(group, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		err = errors.Join(err, unix.Rmdir(dirs[i]))
	}
	return err
}
