package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox/umlguest"
)

const (
	// umlBootLimit is how long the kernel may take until its agent answers;
	// seen: 6 s on two busy cores.
	umlBootLimit = 90 * time.Second
	// umlCallLimit is how long the agent may take for one request. Everything
	// is slow in there: a program starts in tens of milliseconds.
	umlCallLimit = 60 * time.Second
	// umlAskLimit is how long it may take to tell of a node. No answer counts as
	// the node's end, so it is far above what a busy guest needs.
	umlAskLimit = 10 * time.Second
	// umlSilence is how long an agent that gave no answer is not asked again.
	umlSilence = 10 * time.Second
	// umlLinkLimit is how long a tap may stay after its kernel process.
	umlLinkLimit = 5 * time.Second
)

// uml is the driver whose nodes live in one User Mode Linux kernel: a kernel
// that is an ordinary process of this machine. It needs no virtualization and
// no image of a disk: the guest runs from a root file system of this machine,
// which it cannot write to, and everything it writes is in its memory.
type uml struct {
	sink event.Sink

	mu sync.Mutex
	// seen is what the agent last said about each node, by name. A caller
	// that waits for an engine asks again and again, and every answer costs
	// the guest time that its engines need.
	seen map[string]sighting
	// silent is when the agent last gave no answer at all. One node after the
	// other would only meet the same silence.
	silent time.Time
}

type sighting struct {
	at      time.Time
	running bool
}

func newUML(sink event.Sink) (driver, error) {
	return &uml{sink: sink, seen: map[string]sighting{}}, nil
}

// Check implements driver.
func (*uml) Check(ctx context.Context, st *State) error {
	if _, err := findUMLKernel(ctx); err != nil {
		return err
	}
	root := "/"
	if st.Engine != "" {
		root = st.Engine
	}
	for _, want := range []struct{ root, program string }{
		{root, "dockerd"}, {root, "iptables-legacy"}, {root, "ip"}, {"/", "ip"},
	} {
		if _, err := findProgram(want.root, want.program); err != nil {
			return err
		}
	}
	if _, err := os.Stat(tunDevice); err != nil {
		return problem.New("the cable into the guest kernel needs %s: %w", tunDevice, err).
			WithNext("Load the kernel's tun module: 'modprobe tun'.")
	}
	if err := selfIsStatic(); err != nil {
		return err
	}
	return umlMemoryFree()
}

// Up implements driver.
func (d *uml) Up(ctx context.Context, st *State) error {
	kernel, err := findUMLKernel(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(st.Dir, umlDir)
	if err := makeUMLDir(dir, umlUser(st.ID)); err != nil {
		return err
	}
	st.HostLink = "swn-" + st.ID
	for _, n := range st.Nodes {
		n.Host = "tcp://" + net.JoinHostPort(n.Address.String(), strconv.Itoa(umlguest.EnginePort))
		n.Log = filepath.Join(dir, umlLogDir, umlNode(st, n).LogName())
	}
	if err := st.Save(); err != nil {
		return err
	}
	d.sink.On(event.Event{Object: "guest kernel", Kind: event.Working, State: "starting", Detail: "User Mode Linux " + kernel.version})
	ended, err := startUMLKernel(ctx, st, kernel)
	if err != nil {
		return err
	}
	if err := st.Save(); err != nil {
		return err
	}
	client := umlguest.NewClient(umlAgent(st.Subnet))
	if err := awaitGuest(ctx, client, ended, filepath.Join(dir, umlConsole)); err != nil {
		return err
	}
	d.sink.On(event.Event{Object: "guest kernel", Kind: event.Good, State: "running", Detail: "User Mode Linux " + kernel.version})
	for i, n := range st.Nodes {
		if i > 0 {
			d.awaitEngine(ctx, st, st.Nodes[i-1])
		}
		if err := d.startNode(ctx, st, n); err != nil {
			return err
		}
	}
	return nil
}

// awaitEngine returns when a node's engine answers, or when it need not be
// waited for: it has ended, which the caller of Up will say. Engines that start
// side by side on the guest's one CPU take longer than the 15 s that each of
// them allows its containerd (moby libcontainerd/supervisor, startupTimeout).
func (d *uml) awaitEngine(ctx context.Context, st *State, n *Node) {
	client := &http.Client{Timeout: pingLimit}
	defer client.CloseIdleConnections()
	ask := "http://" + strings.TrimPrefix(n.Host, "tcp://") + "/_ping"
	_ = poll(ctx, func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, ask, nil)
		if err != nil {
			return false, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return !d.Running(st, n), nil
		}
		return true, resp.Body.Close()
	})
}

// awaitGuest waits until the guest's agent answers.
func awaitGuest(ctx context.Context, client *umlguest.Client, ended <-chan struct{}, console string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, umlBootLimit, fmt.Errorf("it does not answer after %v", umlBootLimit))
	defer cancel()
	for {
		err := askOnce(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return umlFailed(errors.New("it ended"), console)
		case <-ctx.Done():
			if err := ctx.Err(); errors.Is(err, context.Canceled) {
				return err
			}
			return umlFailed(context.Cause(ctx), console)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// askOnce gives up soon: a packet to a guest that is not there yet is lost,
// and TCP would say it again only after a second.
func askOnce(ctx context.Context, client *umlguest.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return client.Ready(ctx)
}

// umlFailed tells why the kernel did not come up, with its last words.
func umlFailed(cause error, console string) error {
	return problem.New("the User Mode Linux kernel did not start: %w; its console:\n%s", cause, umlLastWords(console))
}

// umlLastWords reads what matters of the kernel's console.
func umlLastWords(console string) string {
	data, err := os.ReadFile(console)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	return "  " + strings.Join(lastWords(text.Lines(string(data))), "\n  ")
}

// Ended implements reporter.
func (*uml) Ended(st *State) error {
	if umlRunning(st) {
		return nil
	}
	return problem.New("the User Mode Linux kernel of sandbox %q has ended; its console:\n%s",
		st.Name, umlLastWords(filepath.Join(st.Dir, umlDir, umlConsole)))
}

func (d *uml) startNode(ctx context.Context, st *State, n *Node) error {
	d.sink.On(event.Event{Object: "node " + n.Name, Kind: event.Working, State: "starting", Detail: n.Address.String()})
	ctx, cancel := context.WithTimeout(ctx, umlCallLimit)
	defer cancel()
	if err := umlguest.NewClient(umlAgent(st.Subnet)).StartNode(ctx, umlNode(st, n)); err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	return nil
}

// Fault implements driver.
func (d *uml) Fault(ctx context.Context, st *State, n *Node, f Fault) error {
	if !umlRunning(st) {
		return problem.New("the guest kernel of sandbox %q is not running", st.Name).
			WithNext("Make the sandbox anew: 'docker swarmnet sandbox down %s', then 'docker swarmnet sandbox up %[1]s --driver %s'.", st.Name, DriverUML)
	}
	if f == FaultStart {
		return d.startNode(ctx, st, n)
	}
	ctx, cancel := context.WithTimeout(ctx, umlCallLimit)
	defer cancel()
	client := umlguest.NewClient(umlAgent(st.Subnet))
	switch f {
	case FaultStop:
		return client.StopNode(ctx, n.Name)
	case FaultCut:
		return client.CutNode(ctx, n.Name)
	case FaultHeal:
		return client.HealNode(ctx, n.Name)
	default:
		return fmt.Errorf("no fault %q", f)
	}
}

// Running implements driver. The answer may be a second old.
func (d *uml) Running(st *State, n *Node) bool {
	if !umlRunning(st) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if last, ok := d.seen[n.Name]; ok && time.Since(last.at) < time.Second {
		return last.running
	}
	if time.Since(d.silent) < umlSilence {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), umlAskLimit) //nolint:forbidigo // bounded, and the question has no caller that could be interrupted
	defer cancel()
	status, err := umlguest.NewClient(umlAgent(st.Subnet)).Node(ctx, n.Name)
	now := sighting{at: time.Now(), running: err == nil && status.Running}
	if err != nil {
		d.silent = now.at
	}
	d.seen[n.Name] = now
	return now.running
}

func umlRunning(st *State) bool {
	return st.BootID == bootID() && len(st.Processes) == 1 && st.Processes[0].alive()
}

// Down implements driver.
func (*uml) Down(ctx context.Context, st *State) (left []string, err error) {
	// A kernel that is killed loses what is in its memory, and so it would
	// if it were told to switch itself off.
	owned := umlOwned(st)
	errKill := owned.kill(ctx, func() {})
	errLink := umlRemoveLink(ctx, st)
	list, errList := owned.processes()
	left = describe(list)
	if linkExists(st.HostLink) {
		left = append(left, "link "+st.HostLink)
	}
	return left, errors.Join(errKill, errLink, errList)
}

// umlRemoveLink removes the tap. It goes with the kernel process that has it
// open; the kernel takes it away a moment after that process.
func umlRemoveLink(ctx context.Context, st *State) error {
	for deadline := time.Now().Add(umlLinkLimit); linkExists(st.HostLink); {
		if time.Now().After(deadline) {
			return ip(ctx, "", "link del "+st.HostLink)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
