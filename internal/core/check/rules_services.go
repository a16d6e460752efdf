package check

// taskRules judge what becomes of services: their tasks and updates.
func taskRules() []Rule {
	return []Rule{
		{
			Code: "SN401", Name: "task-stuck-new", Group: GroupServices, Severity: Error,
			Title: "Tasks wait in New for an address",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/35849",
			judge: taskStuckNew,
		},
		{
			Code: "SN402", Name: "no-suitable-node", Group: GroupServices, Severity: Error,
			Title: "Tasks wait for a node that suits them",
			Reads: []string{ReadsNodes, ReadsServices, ReadsTasks},
			Why:   "https://docs.docker.com/engine/swarm/services/#control-service-placement",
			judge: noSuitableNode,
		},
		{
			Code: "SN403", Name: "task-rejected", Group: GroupServices, Severity: Error,
			Title: "A node rejects tasks before their container runs",
			Reads: []string{ReadsNodes, ReadsServices, ReadsTasks},
			Why:   "https://github.com/docker/for-linux/issues/411",
			judge: taskRejected,
		},
		{
			Code: "SN404", Name: "crash-loop", Group: GroupServices, Severity: Error,
			Title: "Tasks start and fail again and again",
			Reads: []string{ReadsServices, ReadsTasks},
			Why:   "https://docs.docker.com/reference/cli/docker/service/create/#restart-condition",
			judge: crashLoop,
		},
		{
			Code: "SN405", Name: "not-converged", Group: GroupServices, Severity: Warning,
			Title: "A service has run fewer tasks than asked for, for a while",
			Reads: []string{ReadsNodes, ReadsServices, ReadsTasks},
			Why:   "https://github.com/docker/cli/issues/5299",
			judge: notConverged,
		},
		{
			Code: "SN406", Name: "update-rolled-back", Group: GroupServices, Severity: Warning,
			Title: "The swarm has rolled the last update of a service back",
			Reads: []string{ReadsServices},
			Why:   "https://github.com/docker/cli/issues/6752",
			judge: updateRolledBack,
		},
		{
			Code: "SN407", Name: "update-paused", Group: GroupServices, Severity: Error,
			Title: "The swarm has paused the update of a service",
			Reads: []string{ReadsServices},
			Why:   "https://docs.docker.com/reference/cli/docker/service/update/#update-failure-action",
			judge: updatePaused,
		},
		{
			Code: "SN418", Name: "image-missing", Group: GroupServices, Severity: Error,
			Title: "A node cannot get the image of a service",
			Reads: []string{ReadsNodes, ReadsServices, ReadsTasks},
			Why:   "https://docs.docker.com/reference/cli/docker/service/create/#with-registry-auth",
			judge: imageMissing,
		},
	}
}

// serviceRules judge services by what they ask for.
func serviceRules() []Rule {
	return []Rule{
		{
			Code: "SN408", Name: "alias-clash", Group: GroupServices, Severity: Warning,
			Title: "Services answer to the same name on a network",
			Reads: []string{ReadsNetworks, ReadsServices},
			Why:   "https://github.com/moby/moby/issues/37348",
			judge: aliasClash,
		},
		{
			Code: "SN409", Name: "dangling-network-target", Group: GroupServices, Severity: Error,
			Title: "A service asks for a network that is gone",
			Reads: []string{ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/29293",
			judge: danglingNetworkTarget,
			first: true,
		},
		{
			Code: "SN410", Name: "port-clash", Group: GroupServices, Severity: Error,
			Title: "Services publish the same port",
			Reads: []string{ReadsEngine, ReadsNodes, ReadsServices},
			Why:   "https://docs.docker.com/engine/swarm/ingress/#publish-a-port-for-a-service",
			judge: portClash,
		},
		{
			Code: "SN411", Name: "dnsrr-with-ingress-port", Group: GroupServices, Severity: Error,
			Title: "A service without a virtual address publishes in the routing mesh",
			Reads: []string{ReadsServices},
			Why:   "https://docs.docker.com/engine/swarm/networking/#configure-service-discovery",
			judge: dnsrrWithIngressPort,
		},
		{
			Code: "SN412", Name: "host-port-too-many-replicas", Group: GroupServices, Severity: Error,
			Title: "More replicas with a port of the host than nodes to run them",
			Reads: []string{ReadsNodes, ReadsServices},
			Why:   "https://docs.docker.com/engine/swarm/ingress/#bypass-the-routing-mesh",
			judge: hostPortTooManyReplicas,
		},
		{
			Code: "SN413", Name: "idle-vip-without-keepalive", Group: GroupServices, Severity: Note,
			Title: "Connections to a virtual address are dropped after 15 idle minutes",
			Reads: []string{ReadsServices},
			Why:   "https://github.com/moby/moby/issues/31208",
			judge: idleVipWithoutKeepalive,
		},
		{
			Code: "SN414", Name: "single-replica-stop-first", Group: GroupServices, Severity: Note,
			Title: "An update stops the only replica before the new one starts",
			Reads: []string{ReadsServices},
			Why:   "https://github.com/moby/moby/issues/30321",
			judge: singleReplicaStopFirst,
		},
		{
			Code: "SN415", Name: "no-healthcheck", Group: GroupServices, Severity: Note,
			Title: "Traffic reaches a service's task before it is ready to answer",
			Reads: []string{ReadsServices},
			Why:   "https://github.com/moby/moby/issues/44815",
			judge: noHealthcheck,
		},
		{
			Code: "SN416", Name: "vip-missing", Group: GroupServices, Severity: Error,
			Title: "A service has no virtual address on one of its networks",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/26702",
			judge: vipMissing,
			first: true,
		},
		{
			Code: "SN417", Name: "ipvs-missing", Group: GroupServices, Severity: Warning,
			Title: "The kernel cannot carry traffic to virtual addresses",
			Reads: []string{ReadsNetworks, ReadsServices, ReadsKernel},
			Why:   "https://github.com/moby/moby/issues/24005",
			judge: ipvsMissing,
		},
	}
}
