// Package faults is the catalogue of faults that "docker swarmnet check" is
// held to, each one put into a live sandbox, and of healthy swarms that it has
// to be silent about. "make score" runs all of it and writes docs/score.md; a
// part of it runs with the scenarios.
//
// A fault is data: scripts that put it in and heal it, and what check and
// explain must say. The scripts are bash, run with prelude.sh before them: the
// docker context is that of the swarm's first manager, and the prelude's
// functions name nodes, enter their network namespaces and wait.
package faults

// Kind says what can be expected of a check that asks the API only.
type Kind string

// The kinds.
const (
	// Visible: the API shows it, so check must name it.
	Visible Kind = "visible"
	// NeedsProbe: nothing in the API tells; check must stay silent about
	// everything else, and a probe has to find it.
	NeedsProbe Kind = "needs probe"
	// NeedsEngine: the API tells, on newer engines than those of the run.
	NeedsEngine Kind = "needs engine"
)

// Swarm says which sandbox a fault is put into.
type Swarm string

// The sandboxes.
const (
	// Three: three nodes, the first a manager.
	Three Swarm = "three"
	// Managers: three nodes, all of them managers.
	Managers Swarm = "managers"
	// Mixed: two nodes of the lab's engine and one of another.
	Mixed Swarm = "mixed"
	// Old: one node with an engine of before 20.10.24.
	Old Swarm = "old"
)

// A Fault is one way in which a swarm's networks go wrong.
type Fault struct {
	// Name tells faults apart, in tests and in docs/score.md.
	Name string
	// Is is the fault in a few words.
	Is    string
	Kind  Kind
	Swarm Swarm

	// Setup brings the swarm to where the fault can happen. Check is run after
	// it, and what it finds then is no part of the fault.
	Setup string
	// PutIn puts the fault in.
	PutIn string
	// Heal takes it out again, as its runbook says. What Setup and PutIn made
	// besides is removed by the runner.
	Heal string
	// Restore makes the swarm again what it was before Setup, after check has
	// found nothing more.
	Restore string

	// Code is what check must find, in an object or sentence that holds Object;
	// where Loud is set, as an error or warning, not as the note that it is before.
	Code   string
	Object string
	Loud   bool
	// Follows are codes of what is true besides because of the fault: a node
	// that is down leaves services short of tasks.
	Follows []string
	// Args are more arguments of check.
	Args string
	// At is the node whose context is asked; 0 for the swarm's first manager.
	At int

	// Explain is the service that is explained, and Broken the step that must
	// be named as the first broken one. Empty where no service is concerned. Where
	// the API does not always tell the step before from it, that one is right too
	// when its evidence has the words of Or.
	Explain string
	Broken  string
	Or      string

	// CI marks the faults that run with the scenarios.
	CI bool
}

// Catalogue returns all faults.
func Catalogue() []Fault {
	var all []Fault
	for _, part := range [][]Fault{
		clusterFaults(), managerFaults(), addressFaults(), networkFaults(),
		taskFaults(), serviceFaults(), attachmentFaults(), hiddenFaults(),
	} {
		all = append(all, part...)
	}
	for i := range all {
		if all[i].Kind == "" {
			all[i].Kind = Visible
		}
		if all[i].Swarm == "" {
			all[i].Swarm = Three
		}
	}
	return all
}
