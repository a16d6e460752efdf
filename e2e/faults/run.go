package faults

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

//go:embed prelude.sh
var prelude string

const (
	// scriptLimit bounds one script, findLimit the wait for a finding to come
	// or go.
	scriptLimit = 3 * time.Minute
	findLimit   = 2 * time.Minute
	// quiet is how long check is held to silence after a fault that it cannot
	// see: longer than a node takes to be given up (15 s).
	quiet = 20 * time.Second
	pause = time.Second
	// findings is the exit code of a command that has something to tell.
	findings = 2
)

// A Bench is one swarm that faults are put into.
type Bench struct {
	Swarm *harness.Swarm
	// Other is another swarm, for faults of two; may be nil.
	Other *harness.Swarm
	// Docker is the docker CLI, Plugin the plugin.
	Docker, Plugin string
	// Temp keeps the files of scripts.
	Temp string
}

// script runs one, with the prelude before it.
func (b *Bench) script(ctx context.Context, body string) error {
	if body == "" {
		return nil
	}
	out, err := b.bash(ctx, body)
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, strings.TrimSpace(body), out)
	}
	return nil
}

func (b *Bench) bash(ctx context.Context, body string) (output []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, scriptLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", prelude+body)
	cmd.Env = append(slices.Clone(b.Swarm.Command().Env),
		"PATH="+filepath.Dir(b.Docker)+":"+os.Getenv("PATH")+":/usr/sbin:/sbin",
		"SANDBOX="+b.Swarm.Name, "SANDBOX_DIR="+b.Swarm.Dir(), "TMP="+b.Temp)
	if b.Other != nil {
		cmd.Env = append(cmd.Env, "OTHER="+b.Other.Name, "OTHER_DIR="+b.Other.Dir())
	}
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// Finding is what check has found, as its JSON tells.
type Finding struct {
	Kind                                        string // "finding"; "unknown" and others are none
	Context, Code, Severity, ObjectKind, Object string
	Text                                        string
}

// check runs the plugin's check and returns its findings in their order, and
// how long it took. The plugin is called by itself, which spares the two calls
// of docker before it.
func (b *Bench) check(ctx context.Context, at int, args string) ([]Finding, time.Duration, error) {
	begin := time.Now()
	out, all, err := b.swarmnet(ctx, at, append([]string{"check", "--format", "json"}, strings.Fields(args)...)...)
	took := time.Since(begin)
	if err != nil {
		return nil, took, fmt.Errorf("check: %w\n%s", err, all)
	}
	var found []Finding
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var f Finding
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, took, fmt.Errorf("check wrote %q: %w", line, err)
		}
		if f.Kind == "finding" {
			found = append(found, f)
		}
	}
	return found, took, nil
}

// swarmnet runs the plugin on the context of a node, or of the first manager.
// Findings are no error.
func (b *Bench) swarmnet(ctx context.Context, at int, args ...string) (stdout []byte, all string, err error) {
	ctx, cancel := context.WithTimeout(ctx, scriptLimit)
	defer cancel()
	endpoint := b.Swarm.Endpoint
	if at > 0 {
		endpoint = b.Swarm.Nodes[at-1].Endpoint
	}
	cmd := exec.CommandContext(ctx, b.Plugin, args...)
	cmd.Env = endpoint.Command().Env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == findings {
		err = nil
	}
	return out.Bytes(), out.String() + errOut.String(), err
}

// loud tells whether a finding is more than a note.
func (f Finding) loud() bool { return f.Severity == "error" || f.Severity == "warning" }

func (f Finding) String() string {
	return fmt.Sprintf("%s %s %s %q: %s", f.Code, f.Severity, f.ObjectKind, f.Object, f.Text)
}

// is tells whether the finding is the one a fault must give.
func (f Finding) is(fault Fault) bool {
	return f.Code == fault.Code && strings.Contains(f.Object+" "+f.Text, fault.Object) && (f.loud() || !fault.Loud)
}

// same tells whether two findings are of one thing, whatever their numbers.
func (f Finding) same(o Finding) bool {
	return f.Code == o.Code && f.Context == o.Context && f.Object == o.Object
}

// without returns the findings that were not there before the fault. One that
// is of the same thing as before, but now names the fault, is new.
func without(found, before []Finding, fault Fault) []Finding {
	names := func(f Finding) bool { return f.is(fault) }
	known := slices.ContainsFunc(before, names)
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool {
		return slices.ContainsFunc(before, f.same) && (known || !names(f))
	})
}

// A Result is what came of one fault.
type Result struct {
	Fault    string
	Is       string
	Kind     Kind
	Code     string
	Engine   string
	Commit   string // of the plugin
	Detected bool
	// First tells whether the fault's code stood first of all that was new; Ahead
	// is the finding that did, if not.
	First bool
	Ahead string
	// Explained tells whether explain named the right step, and Instead what it
	// named otherwise; only where Asked.
	Asked, Explained bool
	Instead          string
	// Verdict is the time from the fault being in to check naming it, Took
	// that of the run of check which did, both in seconds.
	Verdict, Took float64
	// Alarms are findings besides that are not true.
	Alarms []string
	// Healed tells whether check found nothing more after the runbook's fix.
	Healed bool
	// Trouble is what kept the fault from being tried.
	Trouble string

	// unmended tells that something of it may be left in the swarm.
	unmended bool
}

// Run puts a fault into the bench's swarm, judges what check and explain say,
// and heals it. The swarm must be clean.
func (b *Bench) Run(ctx context.Context, f Fault) Result {
	r := Result{Fault: f.Name, Is: f.Is, Kind: f.Kind, Code: f.Code, Commit: commit()}
	if err := b.run(ctx, f, &r); err != nil {
		r.Trouble = err.Error()
	}
	return r
}

// commit is that of the plugin, as "make score" names it.
func commit() string { return cmp.Or(os.Getenv("SCORE_COMMIT"), "not told") }

func (b *Bench) run(ctx context.Context, f Fault, r *Result) error {
	if err := b.script(ctx, f.Setup); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if b.Other != nil {
		f.Args = strings.NewReplacer("$SANDBOX", b.Swarm.Context, "$OTHER", b.Other.Context).Replace(f.Args)
	}
	before, _, err := b.check(ctx, f.At, f.Args)
	if err != nil && f.At == 0 {
		return err
	}
	if err = b.script(ctx, f.PutIn); err != nil {
		r.unmended = true
		return fmt.Errorf("put in: %w", err)
	}
	if f.Kind == Visible {
		err = b.watch(ctx, f, before, r)
	} else {
		err = b.listen(ctx, f, before, r)
	}
	if err == nil && f.Explain != "" && r.Detected {
		err = b.explain(ctx, f, r)
	}
	mendErr := b.script(ctx, f.Heal)
	if mendErr == nil {
		mendErr = errors.Join(b.healed(ctx, f, r), b.script(ctx, f.Restore))
	}
	r.unmended = mendErr != nil
	return errors.Join(err, mendErr)
}

// watch runs check until it names the fault.
func (b *Bench) watch(ctx context.Context, f Fault, before []Finding, r *Result) error {
	begin := time.Now()
	for {
		found, took, err := b.check(ctx, f.At, f.Args)
		if err != nil {
			return err
		}
		fresh := without(found, before, f)
		r.alarms(f, fresh)
		if i := slices.IndexFunc(fresh, func(n Finding) bool { return n.is(f) }); i >= 0 {
			r.Detected, r.First = true, fresh[0].Code == f.Code
			if !r.First {
				r.Ahead = fresh[0].String()
			}
			r.Verdict, r.Took = time.Since(begin).Seconds(), took.Seconds()
			return nil
		}
		if time.Since(begin) > findLimit {
			return nil
		}
		time.Sleep(pause)
	}
}

// listen holds check to silence about a fault that the API does not show.
func (b *Bench) listen(ctx context.Context, f Fault, before []Finding, r *Result) error {
	for begin := time.Now(); time.Since(begin) < quiet; time.Sleep(3 * time.Second) {
		found, took, err := b.check(ctx, f.At, f.Args)
		if err != nil {
			return err
		}
		r.alarms(f, without(found, before, f))
		r.Took = took.Seconds()
	}
	return nil
}

// alarms takes down what is neither the fault nor follows from it.
func (r *Result) alarms(f Fault, fresh []Finding) {
	for _, n := range fresh {
		follows := n.Code == f.Code || n.Code == ipvsMissing && !HasIPVS() || slices.Contains(f.Follows, n.Code)
		if n.loud() && !follows && !slices.Contains(r.Alarms, n.String()) {
			r.Alarms = append(r.Alarms, n.String())
		}
	}
}

// healed waits until check does not find the fault any more.
func (b *Bench) healed(ctx context.Context, f Fault, r *Result) error {
	var found []Finding
	for begin := time.Now(); time.Since(begin) < findLimit; time.Sleep(pause) {
		var err error
		if found, _, err = b.check(ctx, f.At, f.Args); err != nil {
			continue // an engine that has just come back
		}
		if !slices.ContainsFunc(found, func(n Finding) bool { return n.is(f) }) {
			r.Healed = true
			return nil
		}
	}
	return fmt.Errorf("check still finds the fault after it was healed: %v", found)
}

// explain asks for the first broken step of the fault's service.
func (b *Bench) explain(ctx context.Context, f Fault, r *Result) error {
	out, all, err := b.swarmnet(ctx, 0, "explain", "--format", "json", f.Explain)
	if err != nil {
		return fmt.Errorf("explain: %w\n%s", err, all)
	}
	r.Asked = true
	r.Explained, r.Instead = explains(out, f)
	return nil
}

// ipvsMissing is true on a kernel without IPVS, for every service with a VIP.
const ipvsMissing = "SN417"

// Healthy brings the swarm to a healthy state and holds check to silence.
func (b *Bench) Healthy(ctx context.Context, swarm string, state State) HealthyRun {
	h := HealthyRun{Swarm: swarm, State: state.Name, Commit: commit()}
	if err := b.script(ctx, state.Script); err != nil {
		h.Trouble = err.Error()
		return h
	}
	found, took, err := b.check(ctx, 0, "")
	if err != nil {
		h.Trouble = err.Error()
		return h
	}
	h.Took = took.Seconds()
	for _, f := range found {
		switch {
		case f.Code == ipvsMissing:
			h.IPVS++
		case f.loud():
			h.Alarms = append(h.Alarms, f.String())
		default:
			h.Notes = append(h.Notes, f.Code)
		}
	}
	return h
}
