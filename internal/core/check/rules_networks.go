package check

func networkRules() []Rule {
	return []Rule{
		{
			Code: "SN301", Name: "network-not-allocated", Group: GroupNetworks, Severity: Error,
			Title: "A network was accepted and never made",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/37921",
			judge: networkNotAllocated,
		},
		{
			Code: "SN302", Name: "unknown-driver-option", Group: GroupNetworks, Severity: Warning,
			Title: "A network has options that the overlay driver ignores",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/libnetwork/issues/2661",
			judge: unknownDriverOption,
		},
		{
			Code: "SN303", Name: "encrypted-false", Group: GroupNetworks, Severity: Warning,
			Title: "A network with encrypted=false, which encrypts",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/blob/v28.5.2/daemon/libnetwork/drivers/overlay/ov_network.go",
			judge: encryptedFalse,
		},
		{
			Code: "SN304", Name: "mtu-mixed", Group: GroupNetworks, Severity: Warning,
			Title: "Networks of one swarm have different MTUs",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/37855",
			judge: mtuMixed,
		},
		{
			Code: "SN305", Name: "ingress-mtu-left-behind", Group: GroupNetworks, Severity: Warning,
			Title: "The routing mesh has a larger MTU than the other networks",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/36689",
			judge: ingressMtuLeftBehind,
		},
		{
			Code: "SN306", Name: "ipv6-overlay", Group: GroupNetworks, Severity: Warning,
			Title: "An overlay network with IPv6, which does not work",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/24379",
			judge: ipv6Overlay,
		},
		{
			Code: "SN307", Name: "ingress-missing", Group: GroupNetworks, Severity: Error,
			Title: "Ports are published in the routing mesh, and there is none",
			Reads: []string{ReadsNetworks, ReadsServices},
			Why:   "https://github.com/moby/moby/issues/33420",
			judge: ingressMissing,
		},
		{
			Code: "SN308", Name: "ingress-twice", Group: GroupNetworks, Severity: Error,
			Title: "The swarm has two ingress networks",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/40184",
			judge: ingressTwice,
		},
		{
			Code: "SN309", Name: "local-network-same-name", Group: GroupNetworks, Severity: Warning,
			Title: "A local network of the engine has the name of a network of the swarm",
			Reads: []string{ReadsNetworks},
			Why:   "https://github.com/moby/moby/issues/36197",
			judge: localNetworkSameName,
		},
		{
			Code: "SN310", Name: "network-unused", Group: GroupNetworks, Severity: Note,
			Title: "Nobody is on a network",
			Reads: []string{ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/docker/cli/issues/203",
			judge: networkUnused,
		},
		{
			Code: "SN311", Name: "stack-network-dangling", Group: GroupNetworks, Severity: Note,
			Title: "A network is left over from a stack that is gone",
			Reads: []string{ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/30942",
			judge: stackNetworkDangling,
		},
	}
}
