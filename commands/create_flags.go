package commands

import (
	"maps"
	"net/netip"
	"strconv"

	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// createFlags are the flags that say what network is wanted: those of "docker
// network create" that mean something for an overlay, and our own.
type createFlags struct {
	subnets, gateways, ranges []string
	aux, options              opts.MapOpts
	labels                    opts.ListOpts
	attachable, internal      bool
	encrypted                 bool
	mtu                       int
	size                      string
	pools, avoid              []string

	// Docker's flags that an overlay of a swarm has only one value for.
	driver, scope, ipamDriver string
	ipv6, ingress, configOnly bool
	configFrom                string
}

func newCreateFlags() createFlags {
	return createFlags{
		aux:     *opts.NewMapOpts(nil, nil),
		options: *opts.NewMapOpts(nil, nil),
		labels:  opts.NewListOpts(opts.ValidateLabel),
	}
}

func (o *createFlags) install(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.subnets, "subnet", nil, "Subnet in CIDR format (a free one is chosen if left out)")
	f.StringSliceVar(&o.gateways, "gateway", nil, "IPv4 gateway of a subnet")
	f.StringSliceVar(&o.ranges, "ip-range", nil, "Give out addresses of this part of a subnet only")
	f.Var(&o.aux, "aux-address", "Refused: a swarm does not keep auxiliary addresses free")
	f.VarP(&o.options, "opt", "o", "Set driver specific options")
	f.Var(&o.labels, "label", "Set metadata on the network")
	f.BoolVar(&o.attachable, "attachable", false, `Let "docker run" containers join`)
	f.BoolVar(&o.internal, "internal", false, "No way from containers to the outside")
	f.BoolVar(&o.encrypted, "encrypted", false, "Encrypt the traffic between nodes (IPsec)")
	f.IntVar(&o.mtu, "mtu", 0, "MTU in bytes of the network between the nodes (default 1500)")
	f.StringVar(&o.size, "size", "", `Prefix length of the chosen subnet, such as "22"`)
	f.StringSliceVar(&o.pools, "pool", nil, "Choose the subnet out of these ranges")
	f.StringSliceVar(&o.avoid, "avoid", nil, "Keep the chosen subnet out of these ranges")

	f.StringVarP(&o.driver, "driver", "d", "overlay", `Driver of the network: "overlay"`)
	f.StringVar(&o.scope, "scope", "swarm", `Scope of the network: "swarm"`)
	f.StringVar(&o.ipamDriver, "ipam-driver", "default", `IP address management driver: "default"`)
	f.BoolVar(&o.ipv6, "ipv6", false, "Refused: a swarm gives its tasks IPv4 addresses only")
	f.BoolVar(&o.ingress, "ingress", false, "Refused: the routing mesh is not a network to deploy on")
	f.BoolVar(&o.configOnly, "config-only", false, "Refused: an overlay takes no configuration network")
	f.StringVar(&o.configFrom, "config-from", "", "Refused: an overlay takes no configuration network")
	for _, name := range []string{"driver", "scope", "ipam-driver", "ipv6", "ingress", "config-only", "config-from", "aux-address"} {
		_ = f.MarkHidden(name)
	}
}

// wish returns the network asked for, or all that is wrong with the flags.
func (o *createFlags) wish(name string) (netspec.Wish, error) {
	var w netspec.Wish
	if err := netspec.CheckName(name); err != nil {
		return w, err
	}
	if found := o.unfit(); len(found) > 0 {
		return w, problem.Join("the options do not make an overlay network of the swarm", found).WithCode(problem.Usage)
	}
	options := maps.Clone(o.options.GetAll())
	if err := o.shorthand(options); err != nil {
		return w, err
	}
	if err := addr.CheckOptions(options); err != nil {
		return w, err
	}
	subnets, err := addr.Wanted{Subnets: o.subnets, Gateways: o.gateways, IPRanges: o.ranges, Aux: o.aux.GetAll()}.Parse()
	if err != nil {
		return w, err
	}
	if w.Bits, w.Pools, w.Avoid, err = o.choice(); err != nil {
		return w, err
	}
	w.Spec = swarm.NetworkSpec{
		Name: name, Attachable: o.attachable, Internal: o.internal, Subnets: subnets, Options: options, Labels: labelsOf(o.labels),
	}
	return w, nil
}

// unfit names docker's flags that cannot be had for an overlay, with the
// reason and the way out.
func (o *createFlags) unfit() []string {
	var found []string
	for _, f := range []struct {
		wrong bool
		why   string
	}{
		{o.driver != "overlay", "--driver " + strconv.Quote(o.driver) + ": this makes overlay networks; use 'docker network create' for others"},
		{o.scope != "swarm", "--scope " + strconv.Quote(o.scope) + ": an overlay network is of the whole swarm; use 'docker network create' for others"},
		{o.ipamDriver != "default", "--ipam-driver " + strconv.Quote(o.ipamDriver) + ": the addresses are chosen by swarmnet; use 'docker network create' for others"},
		{o.ipv6, "--ipv6: a swarm gives its tasks IPv4 addresses only (moby#24379)"},
		{o.ingress, "--ingress: the routing mesh is not a network to deploy on; use 'docker network create --driver overlay --ingress'"},
		{o.configOnly || o.configFrom != "", "--config-only and --config-from: configuration networks are for drivers local to a node; use 'docker network create'"},
		{len(o.subnets) > 0 && (o.size != "" || len(o.pools) > 0 || len(o.avoid) > 0), "--size, --pool and --avoid choose a subnet, and --subnet names one: use one or the other"},
	} {
		if f.wrong {
			found = append(found, f.why)
		}
	}
	return found
}

// shorthand puts --encrypted and --mtu among the driver's options.
func (o *createFlags) shorthand(options map[string]string) error {
	if o.encrypted {
		if _, twice := options[swarm.OptEncrypted]; !twice {
			options[swarm.OptEncrypted] = ""
		}
	}
	if o.mtu == 0 {
		return nil
	}
	if err := addr.CheckMTU(o.mtu); err != nil {
		return err
	}
	value := strconv.Itoa(o.mtu)
	if other, twice := options[swarm.OptMTU]; twice && other != value {
		return problem.New("--mtu %s and --opt %s=%s contradict each other", value, swarm.OptMTU, other).WithCode(problem.Usage)
	}
	options[swarm.OptMTU] = value
	return nil
}

// choice reads the flags that steer the choice of a subnet.
func (o *createFlags) choice() (bits int, pools, avoid []netip.Prefix, err error) {
	if o.size != "" {
		if bits, err = addr.ParseSize(o.size); err != nil {
			return 0, nil, nil, err
		}
	}
	if pools, err = prefixes("--pool", o.pools); err != nil {
		return 0, nil, nil, err
	}
	if avoid, err = prefixes("--avoid", o.avoid); err != nil {
		return 0, nil, nil, err
	}
	return bits, pools, avoid, nil
}
