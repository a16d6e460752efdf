package commands

import (
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// migrateFlags are the flags that say what shall be different about a network,
// named as those of create.
type migrateFlags struct {
	subnets, gateways, ranges       []string
	choice                          createFlags // size, pool, avoid
	mtu                             int
	encrypted, attachable, internal bool
	options                         opts.MapOpts
	labels                          opts.ListOpts
	rename                          string
	leaves                          []string
	allStacks                       bool
}

func newMigrateFlags() migrateFlags {
	return migrateFlags{options: *opts.NewMapOpts(nil, nil), labels: opts.NewListOpts(opts.ValidateLabel)}
}

func (o *migrateFlags) install(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.subnets, "subnet", nil, "New subnet in CIDR format; it may overlap the old one")
	f.StringSliceVar(&o.gateways, "gateway", nil, "IPv4 gateway of a new subnet")
	f.StringSliceVar(&o.ranges, "ip-range", nil, "Give out addresses of this part of a new subnet only")
	f.StringVar(&o.choice.size, "size", "", `Choose a subnet of this prefix length, such as "22"`)
	f.StringSliceVar(&o.choice.pools, "pool", nil, "Choose the subnet out of these ranges")
	f.StringSliceVar(&o.choice.avoid, "avoid", nil, "Keep the chosen subnet out of these ranges")
	f.IntVar(&o.mtu, "mtu", 0, "MTU in bytes of the network between the nodes")
	f.BoolVar(&o.encrypted, "encrypted", false, "Encrypt the traffic between nodes (IPsec), or no longer (--encrypted=false)")
	f.BoolVar(&o.attachable, "attachable", false, `Let "docker run" containers join, or no longer (--attachable=false)`)
	f.BoolVar(&o.internal, "internal", false, "No way from containers to the outside, or one again (--internal=false)")
	f.VarP(&o.options, "opt", "o", "Set a driver specific option beside those there are")
	f.Var(&o.labels, "label", "Set a label beside those there are")
	f.StringVar(&o.rename, "rename", "", "New name of the network: services move once instead of twice")
	f.StringSliceVar(&o.leaves, "leaf", nil, "Service that no other service on the network calls: it restarts half as often")
	f.BoolVar(&o.allStacks, "all-stacks", false, "Restart services of all stacks on the network")
}

// properties are the flags that say what is different.
func properties() []string {
	return []string{"subnet", "gateway", "ip-range", "size", "pool", "avoid", "mtu", "encrypted", "attachable", "internal", "opt", "label", "rename", "leaf", "all-stacks"}
}

// given tells whether any of the properties stands on the command line.
func (o *migrateFlags) given(cmd *cobra.Command) bool {
	for _, name := range properties() {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// wish returns what is wished for.
func (o *migrateFlags) wish(cmd *cobra.Command) (migrate.Wish, error) {
	w := migrate.Wish{
		MTU: o.mtu, Options: o.options.GetAll(), Labels: labelsOf(o.labels), Rename: o.rename, Leaves: o.leaves, OtherStacks: o.allStacks,
	}
	if len(o.subnets) > 0 && (o.choice.size != "" || len(o.choice.pools) > 0 || len(o.choice.avoid) > 0) {
		return w, problem.New("--size, --pool and --avoid choose a subnet, and --subnet names one: use one or the other").WithCode(problem.Usage)
	}
	var err error
	if w.Subnets, err = (addr.Wanted{Subnets: o.subnets, Gateways: o.gateways, IPRanges: o.ranges}).Parse(); err != nil {
		return w, err
	}
	if w.Bits, w.Pools, w.Avoid, err = o.choice.choice(); err != nil {
		return w, err
	}
	for _, f := range []struct {
		name  string
		value *bool
		into  **bool
	}{{"encrypted", &o.encrypted, &w.Encrypted}, {"attachable", &o.attachable, &w.Attachable}, {"internal", &o.internal, &w.Internal}} {
		if cmd.Flags().Changed(f.name) {
			*f.into = f.value
		}
	}
	return w, nil
}
