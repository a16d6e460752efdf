package check

func clusterRules() []Rule {
	return []Rule{
		{
			Code: "SN101", Name: "no-quorum", Group: GroupCluster, Severity: Error,
			Title: "Too few managers are up to change anything",
			Reads: []string{ReadsEngine},
			Why:   "https://docs.docker.com/engine/swarm/admin_guide/#recover-from-losing-the-quorum",
			judge: noQuorum,
		},
		{
			Code: "SN102", Name: "swarm-inactive", Group: GroupCluster, Severity: Error,
			Title: "The engine is in no swarm, or locked out of its own",
			Reads: []string{ReadsEngine},
			Why:   "https://docs.docker.com/engine/swarm/swarm_manager_locking/",
			judge: swarmInactive,
		},
		{
			Code: "SN103", Name: "even-managers", Group: GroupCluster, Severity: Warning,
			Title: "An even number of managers bears no more failures than one less",
			Reads: []string{ReadsNodes},
			Why:   "https://docs.docker.com/engine/swarm/admin_guide/#add-manager-nodes-for-fault-tolerance",
			judge: evenManagers,
		},
		{
			Code: "SN104", Name: "single-manager", Group: GroupCluster, Severity: Note,
			Title: "One manager for several nodes",
			Reads: []string{ReadsNodes},
			Why:   "https://docs.docker.com/engine/swarm/admin_guide/#add-manager-nodes-for-fault-tolerance",
			judge: singleManager,
		},
		{
			Code: "SN105", Name: "node-down", Group: GroupCluster, Severity: Error,
			Title: "A node is down",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/30455",
			judge: nodeDown,
		},
		{
			Code: "SN106", Name: "manager-unreachable", Group: GroupCluster, Severity: Error,
			Title: "The other managers cannot reach a manager",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/41043",
			judge: managerUnreachable,
		},
		{
			Code: "SN107", Name: "bad-node-address", Group: GroupCluster, Severity: Error,
			Title: "Other nodes cannot use a node's address",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/27647",
			judge: badNodeAddress,
		},
		{
			Code: "SN108", Name: "mixed-node-addresses", Group: GroupCluster, Severity: Warning,
			Title: "Nodes are known by addresses of different kinds",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/37536",
			judge: mixedNodeAddresses,
		},
		{
			Code: "SN109", Name: "duplicate-hostname", Group: GroupCluster, Severity: Warning,
			Title: "Nodes have the same host name",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/31135",
			judge: duplicateHostname,
		},
		{
			Code: "SN110", Name: "mixed-engines", Group: GroupCluster, Severity: Warning,
			Title: "Nodes run different engine versions",
			Reads: []string{ReadsNodes},
			Why:   "https://github.com/moby/moby/issues/31714",
			judge: mixedEngines,
		},
		{
			Code: "SN111", Name: "encrypted-mixed-engines", Group: GroupCluster, Severity: Error,
			Title: "Engine versions that cannot decrypt each other's overlay traffic",
			Reads: []string{ReadsNodes, ReadsNetworks},
			Why:   "https://github.com/moby/moby/commit/51664a25d7",
			judge: encryptedMixedEngines,
		},
		{
			Code: "SN112", Name: "known-cve", Group: GroupCluster, Severity: Warning,
			Title: "Engines with known holes in encrypted overlay networks",
			Reads: []string{ReadsNodes, ReadsNetworks},
			Why:   "https://github.com/moby/moby/security/advisories/GHSA-vwm3-crmr-xfxw",
			judge: knownCve,
		},
		{
			Code: "SN113", Name: "nftables-backend", Group: GroupCluster, Severity: Warning,
			Title: "The engine's firewall backend is nftables, which swarm does not fully support",
			Reads: []string{ReadsEngine},
			Why:   "https://github.com/moby/moby/issues/49638",
			judge: nftablesBackend,
		},
	}
}
