// Package check holds the rules that a swarm is judged by, as data: what each
// finds, how bad that is, what it reads and why it is a rule at all.
package check

import (
	"slices"
	"strings"
)

// Severity is how bad a finding is.
type Severity string

// The severities, the worst first.
const (
	// Error is something that does not work.
	Error Severity = "error"
	// Warning is something that works and will not, or not for everybody.
	Warning Severity = "warning"
	// Note is something to know: a matter of style, or of a choice that may
	// well be meant.
	Note Severity = "note"
)

// Severities returns all severities, the worst first.
func Severities() []Severity { return []Severity{Error, Warning, Note} }

// AtLeast tells whether the severity is as bad as another, or worse.
func (s Severity) AtLeast(o Severity) bool {
	return slices.Index(Severities(), s) <= slices.Index(Severities(), o)
}

// The parts of a look at a swarm that rules read.
const (
	ReadsEngine   = "engine"   // the engine that answered, and what it says of its swarm
	ReadsNodes    = "nodes"    // the list of nodes
	ReadsNetworks = "networks" // the list of networks
	ReadsServices = "services" // the list of services
	ReadsTasks    = "tasks"    // the list of tasks, "docker run" containers included
	ReadsStatus   = "status"   // the engine's own count of addresses (API 1.52)
	ReadsKernel   = "kernel"   // the kernel of this machine
)

// Groups of rules, in the order of their codes.
const (
	GroupCluster     = "cluster"
	GroupAddresses   = "addresses"
	GroupNetworks    = "networks"
	GroupServices    = "services"
	GroupAttachments = "attachments"
)

// Rule is one thing that a swarm is looked at for.
type Rule struct {
	// Code never changes its meaning: "SN201".
	Code string
	// Name is the code in words, and the name of its runbook:
	// "network-full".
	Name  string
	Group string
	// Title is what the rule finds, in a few words.
	Title string
	// Severity is the worst that a finding of this rule can be.
	Severity Severity
	// Reads are the parts of a look that the rule needs.
	Reads []string
	// Why is a link to where the rule comes from.
	Why string

	// first tells that what the rule finds is the cause of what others of its
	// group find, and is to be read before.
	first bool
	// judge looks at one swarm, across at several.
	judge  func(*look) outcome
	across func([]*look) outcome
}

// Rules returns all rules in the order of their codes.
func Rules() []Rule {
	rules := slices.Concat(clusterRules(), addressRules(), networkRules(), taskRules(), serviceRules(), attachmentRules())
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.Code, b.Code) })
	return rules
}

// RuleOf returns the rule with a code ("SN201", in any case) or name
// ("network-full").
func RuleOf(word string) (Rule, bool) {
	for _, r := range Rules() {
		if strings.EqualFold(r.Code, word) || strings.EqualFold(r.Name, word) {
			return r, true
		}
	}
	return Rule{}, false
}
