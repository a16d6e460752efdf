package check

import (
	"cmp"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Input is what a swarm, or several, are judged by.
type Input struct {
	Snapshots []*swarm.Snapshot
	// Kernels are the kernels behind the contexts, by name; one that is not
	// here is not known.
	Kernels map[string]Kernel
}

// Kernel is what is known of the kernel an engine runs on.
type Kernel struct {
	// IPVS tells whether it can balance traffic to virtual addresses.
	IPVS bool
}

// Finding is one thing that a rule has found.
type Finding struct {
	Rule     Rule
	Severity Severity
	Context  string
	// Kind and Object name what is affected: "network" "web". Object is
	// cleaned for a terminal.
	Kind, Object string
	// Text is what is the matter, one sentence without a full stop, cleaned.
	Text string
	// Next is the command to type next.
	Next string
	// Networks and Services are the IDs of those that the finding touches.
	Networks []string
	Services []string
	// Task is the ID of the task that shows it best, "" where none does.
	Task string
}

// Unknown is a rule that could not be judged, at least not for everything.
type Unknown struct {
	Rule    Rule
	Context string
	// Why says what is missing, cleaned.
	Why string
}

// Report is the verdict of a set of rules.
type Report struct {
	// Findings stand in the order to read them in: context by context, groups
	// with the worst first, and in a group the worst first.
	Findings []Finding
	Unknown  []Unknown
	// Rules counts what was judged, once for each swarm.
	Rules int
}

// outcome is what one rule says: what it has found, and what it cannot tell.
// Neither means that all is fine.
type outcome struct {
	findings []Finding
	unknown  []string
}

func (o *outcome) add(f Finding) { o.findings = append(o.findings, f) }

func (o *outcome) cannotTell(why string) { o.unknown = append(o.unknown, why) }

// Run judges all swarms by the rules, each for itself and all together. It
// reads no clock: the time is that of the snapshots.
func Run(in Input, rules []Rule) Report {
	looks := make([]*look, 0, len(in.Snapshots))
	for _, s := range in.Snapshots {
		looks = append(looks, newLook(s, in))
	}
	var r Report
	for _, l := range looks {
		for _, rule := range rules {
			if rule.judge == nil {
				continue
			}
			r.Rules++
			r.take(rule, l.s.Context, l.apply(rule))
		}
	}
	for _, rule := range rules {
		if rule.across != nil && len(looks) > 1 {
			r.Rules++
			r.take(rule, "", rule.across(looks))
		}
	}
	r.sort(in.Snapshots)
	return r
}

// apply judges one swarm by one rule. What the rule reads must have been read.
func (l *look) apply(rule Rule) outcome {
	for _, part := range rule.Reads {
		if why := l.missing(part); why != "" {
			return outcome{unknown: []string{why}}
		}
	}
	return rule.judge(l)
}

// take enters the outcome of a rule. A finding is as bad as its rule says,
// unless it says itself that it is less.
func (r *Report) take(rule Rule, context string, o outcome) {
	for _, f := range o.findings {
		f.Rule = rule
		f.Severity = cmp.Or(f.Severity, rule.Severity)
		f.Context = cmp.Or(f.Context, context)
		r.Findings = append(r.Findings, f)
	}
	for _, why := range o.unknown {
		r.Unknown = append(r.Unknown, Unknown{Rule: rule, Context: context, Why: why})
	}
}

// sort brings findings into the order to read them in.
func (r *Report) sort(snapshots []*swarm.Snapshot) {
	contexts := map[string]int{}
	for i, s := range snapshots {
		contexts[s.Context] = i
	}
	rank := func(s Severity) int { return slices.Index(Severities(), s) }
	type group struct{ context, name string }
	worst := map[group]int{}
	for _, f := range r.Findings {
		g := group{f.Context, f.Rule.Group}
		if at, ok := worst[g]; !ok || rank(f.Severity) < at {
			worst[g] = rank(f.Severity)
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(contexts[a.Context], contexts[b.Context]),
			cmp.Compare(worst[group{a.Context, a.Rule.Group}], worst[group{b.Context, b.Rule.Group}]),
			// The number of a group is the first digit of its codes.
			cmp.Compare(a.Rule.Code[:3], b.Rule.Code[:3]),
			cmp.Compare(rank(a.Severity), rank(b.Severity)),
			cmp.Compare(order(a.Rule), order(b.Rule)),
			cmp.Compare(a.Object, b.Object),
		)
	})
}

// order is a rule's code, after a blank where it is to be read first.
func order(r Rule) string {
	if r.first {
		return " " + r.Code
	}
	return r.Code
}

// Count returns how many findings there are of a severity.
func (r Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Worst tells whether there is a finding as bad as a severity, or worse.
func (r Report) Worst(s Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity.AtLeast(s) })
}
