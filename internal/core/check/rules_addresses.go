package check

func addressRules() []Rule {
	return []Rule{
		{
			Code: "SN201", Name: "network-full", Group: GroupAddresses, Severity: Error,
			Title: "A network has no free address",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/35849",
			judge: networkFull,
		},
		{
			Code: "SN202", Name: "network-near-full", Group: GroupAddresses, Severity: Warning,
			Title: "A network has few free addresses",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/43052",
			judge: networkNearFull,
		},
		{
			Code: "SN203", Name: "addresses-leaked", Group: GroupAddresses, Severity: Warning,
			Title: "A network has addresses in use that nobody holds",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks, ReadsStatus},
			Why:   "https://github.com/moby/moby/issues/37338",
			judge: addressesLeaked,
		},
		{
			Code: "SN204", Name: "subnet-overlap", Group: GroupAddresses, Severity: Error,
			Title: "Two networks of the swarm have addresses in common",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/48069",
			judge: subnetOverlap,
		},
		{
			Code: "SN205", Name: "overlap-across-swarms", Group: GroupAddresses, Severity: Note,
			Title:  "Networks of two swarms have addresses in common",
			Reads:  []string{ReadsNetworks},
			Why:    "https://github.com/docker-archive/classicswarm/issues/2232",
			across: overlapAcrossSwarms,
		},
		{
			Code: "SN206", Name: "overlap-with-node", Group: GroupAddresses, Severity: Error,
			Title: "A node's own address lies in a network",
			Reads: []string{ReadsNodes, ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/27399",
			judge: overlapWithNode,
		},
		{
			Code: "SN207", Name: "overlap-with-bridge", Group: GroupAddresses, Severity: Warning,
			Title: "A local network of the engine has addresses in common with a network of the swarm",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/docker/for-linux/issues/411",
			judge: overlapWithBridge,
		},
		{
			Code: "SN208", Name: "duplicate-address", Group: GroupAddresses, Severity: Error,
			Title: "An address has two holders",
			Reads: []string{ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/33795",
			judge: duplicateAddress,
		},
		{
			Code: "SN209", Name: "pool-nearly-used", Group: GroupAddresses, Severity: Warning,
			Title: "Few blocks are left to cut new networks from",
			Reads: []string{ReadsEngine, ReadsNodes, ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/38158",
			judge: poolNearlyUsed,
		},
	}
}
