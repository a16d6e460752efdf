package faults

// taskFaults are those that keep a service from running.
func taskFaults() []Fault {
	return []Fault{
		{
			Name: "label-nobody-has", Is: "a constraint on a label that no node has",
			PutIn: `serve shop --constraint node.labels.disk==ssd`,
			Heal:  `docker node update --label-add disk=ssd "$(node 2)"; running shop 1; docker node update --label-rm disk "$(node 2)"`,
			Code:  "SN402", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "placed", CI: true,
		},
		{
			Name: "hostname-misspelt", Is: "a constraint on a hostname that no node has",
			PutIn: `serve shop --constraint node.hostname==n22`,
			Heal:  `docker service update -d --constraint-rm node.hostname==n22 shop; running shop 1`,
			Code:  "SN402", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "placed",
		},
		{
			Name: "too-much-memory", Is: "more memory reserved than any node has",
			PutIn: `serve shop --reserve-memory 900G`, Heal: `docker service update -d --reserve-memory 0 shop; running shop 1`,
			Code: "SN402", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "placed",
		},
		{
			Name: "max-per-node", Is: "more replicas than --replicas-max-per-node lets the nodes run",
			PutIn: `serve shop --replicas 4 --replicas-max-per-node 1`, Heal: `docker service scale -d shop=3; running shop 3`,
			Code: "SN402", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "placed",
		},
		{
			Name: "all-drained", Is: "every node that suits is drained",
			Setup: `serve shop --constraint node.role==worker; running shop 1`,
			PutIn: `for i in 2 3; do docker node update --availability drain "$(node $i)"; done`,
			Heal:  `for i in 2 3; do docker node update --availability active "$(node $i)"; done; running shop 1`,
			Code:  "SN402", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "placed",
		},
		{
			Name: "mount-path-missing", Is: "a bind mount of a path that is not there",
			PutIn: `serve shop --restart-delay 1s --mount type=bind,source=/srv/not-there,target=/data`,
			Heal:  `docker service update -d --mount-rm /data shop; running shop 1`,
			Code:  "SN403", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running", CI: true,
		},
		{
			Name: "bridge-in-the-way", Is: "one node has a bridge with the network's subnet",
			Setup: `overlay app --subnet 10.78.0.0/24; at 3 network create --subnet 10.78.0.0/24 compose_default`,
			PutIn: `serve shop --mode global --network app --restart-delay 1s`,
			Heal:  `at 3 network rm compose_default; running shop 3`,
			Code:  "SN403", Object: "n3", Follows: []string{"SN405"}, Explain: "shop", Broken: "running",
		},
		{
			Name: "vxlan-in-the-way", Is: "one node has a vxlan link with the network's number",
			Setup: `overlay app; inside 3 ip link add clash type vxlan id "$(vni app)" dstport 4789`,
			PutIn: `serve shop --mode global --network app --restart-delay 1s`,
			Heal:  `inside 3 ip link del clash; running shop 3`,
			Code:  "SN403", Object: "n3", Follows: []string{"SN405"}, Explain: "shop", Broken: "running",
		},
		{
			Name: "wrong-argument", Is: "the program ends at once with an error",
			PutIn: `docker service create -d --no-resolve-image --name shop --restart-delay 500ms swarmnet/demo --no-such-flag`,
			Heal:  `docker service update -d --args '' shop; running shop 1`,
			Code:  "SN404", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running", CI: true,
		},
		{
			Name: "program-missing", Is: "the image does not hold the program that is to start",
			PutIn: `serve shop --restart-delay 500ms --entrypoint /not-there`,
			Heal:  `docker service update -d --entrypoint '/docker-swarmnet sandbox demo' shop; running shop 1`,
			Code:  "SN404", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running",
		},
		{
			Name: "ends-at-once", Is: "the program ends well, and is started again and again",
			PutIn: `serve shop --restart-delay 500ms --entrypoint '/docker-swarmnet docker-cli-plugin-metadata'`,
			Heal:  `docker service update -d --entrypoint '/docker-swarmnet sandbox demo' shop; running shop 1`,
			Code:  "SN404", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running",
		},
		{
			Name: "never-healthy", Is: "the health check fails, and the task is replaced again and again",
			PutIn: `serve shop --restart-delay 500ms --health-cmd false --health-interval 500ms --health-retries 1`,
			Heal:  `docker service update -d --no-healthcheck shop; running shop 1`,
			Code:  "SN404", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "healthy", Or: "health check",
		},
		{
			Name: "not-started-again", Is: "the program has failed, and the restart policy is none",
			PutIn: `docker service create -d --no-resolve-image --name shop --restart-condition none swarmnet/demo --no-such-flag`,
			Heal:  `docker service update -d --args '' --restart-condition any shop; running shop 1`,
			Code:  "SN405", Object: "shop", Explain: "shop", Broken: "running",
		},
		{
			Name: "image-misspelt", Is: "an image that no node has",
			PutIn: `docker service create -d --no-resolve-image --name shop --restart-delay 500ms swarmnet/gone:1.0`,
			Heal:  `docker service update -d --no-resolve-image --image swarmnet/demo shop; running shop 1`,
			Code:  "SN418", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running", CI: true,
		},
		{
			Name: "image-on-one-node", Is: "an image that was built on one node only",
			Setup: `docker tag swarmnet/demo local/built:1`,
			PutIn: `docker service create -d --no-resolve-image --name shop --mode global --restart-delay 500ms local/built:1`,
			Heal:  `for i in 2 3; do at $i tag swarmnet/demo local/built:1; done; running shop 3`,
			Code:  "SN418", Object: "shop", Follows: []string{"SN405"}, Explain: "shop", Broken: "running",
		},
		{
			Name: "rolled-back", Is: "the swarm has rolled an update back",
			Setup: `serve shop --update-failure-action rollback --update-monitor 5s; running shop 1`,
			PutIn: `docker service update -d --args --no-such-flag shop; updated shop rollback_completed`,
			Heal:  `docker service update -d --env-add VERSION=3 shop; updated shop completed`,
			Code:  "SN406", Object: "shop",
		},
		{
			Name: "paused", Is: "the swarm has paused an update",
			Setup: `serve shop --replicas 2 --update-monitor 5s; running shop 2`,
			PutIn: `docker service update -d --args --no-such-flag shop; updated shop paused`,
			Heal:  `docker service rollback -d shop; running shop 2; updated shop rollback_completed`,
			Code:  "SN407", Object: "shop", Follows: []string{"SN404", "SN405"},
		},
	}
}

// serviceFaults are those of what a service asks for.
func serviceFaults() []Fault {
	return []Fault{
		{
			Name: "two-stacks-one-name", Is: "two stacks have a db on a shared network",
			Setup: `overlay proxy; serve one_db --network name=proxy,alias=db`,
			PutIn: `serve two_db --network name=proxy,alias=db`, Heal: `docker service update -d --network-rm proxy two_db`,
			Code: "SN408", Object: "db", Explain: "one_db", Broken: "name", CI: true,
		},
		{
			Name: "alias-is-a-service", Is: "a service's alias is another service's name",
			Setup: `overlay proxy; serve db --network proxy`,
			PutIn: `serve cache --network name=proxy,alias=db`, Heal: `docker service rm cache`,
			Code: "SN408", Object: "db", Explain: "db", Broken: "name",
		},
		{
			Name: "host-port-twice", Is: "two services publish one port of the nodes",
			Setup: `serve one --mode global --publish mode=host,published=8080,target=8080`,
			PutIn: `serve two --publish mode=host,published=8080,target=8080`, Heal: `docker service rm two`,
			Code: "SN410", Object: "8080", Follows: []string{"SN402", "SN405"}, CI: true,
		},
		{
			Name: "more-replicas-than-nodes", Is: "four replicas with a port of the host on three nodes",
			PutIn: `serve shop --replicas 4 --publish mode=host,published=8080,target=8080`, Heal: `docker service scale -d shop=3; running shop 3`,
			Code: "SN412", Object: "shop", Follows: []string{"SN402", "SN405"},
		},
		{
			Name: "host-port-and-a-drained-node", Is: "three replicas with a port of the host, and one node drained",
			Setup: `serve shop --replicas 3 --publish mode=host,published=8080,target=8080; running shop 3`,
			PutIn: `docker node update --availability drain "$(node 3)"`,
			Heal:  `docker node update --availability active "$(node 3)"; running shop 3`,
			Code:  "SN402", Object: "shop", Follows: []string{"SN405"},
		},
		{
			Name: "idle-connections", Is: "a database behind a VIP, and a client that keeps no connection alive",
			Setup: `overlay app; serve api --network app; for i in 1 2 3; do at $i tag swarmnet/demo local/postgres:16; done`,
			PutIn: `docker service create -d --no-resolve-image --name db --network app local/postgres:16`,
			Heal:  `docker service update -d --sysctl-add net.ipv4.tcp_keepalive_time=600 api`,
			Code:  "SN413", Object: "db",
		},
		{
			Name: "gap-at-each-update", Is: "one replica, and the order stop-first",
			Setup: `overlay app; serve api --network app`,
			PutIn: `serve shop --network app`, Heal: `docker service update -d --update-order start-first shop`,
			Code: "SN414", Object: "shop",
		},
		{
			Name: "no-health-check", Is: "a service without health check",
			Setup: `overlay app; serve api --network app`,
			PutIn: `serve shop --network app --replicas 2`, Heal: `docker service update -d --health-cmd '/docker-swarmnet --help' shop`,
			Code: "SN415", Object: "shop",
		},
		{
			Name: "rolled-back-to-a-network-that-is-gone", Is: "a service was rolled back to a network that had been removed",
			Setup: `overlay old; overlay new; serve shop --network old; running shop 1
				docker service update -d --network-rm old --network-add new shop; updated shop completed; eventually docker network rm old`,
			PutIn: `docker service rollback -d shop`,
			Heal:  `docker service rm shop; serve shop --network new; running shop 1`,
			Code:  "SN409", Object: "shop", Follows: []string{"SN401", "SN403", "SN405"}, Explain: "shop", Broken: "network",
		},
		{
			Name: "kernel-without-ipvs", Is: "a service with a VIP on a kernel without IPVS",
			Setup: `[[ ! -e /proc/net/ip_vs ]]; overlay app`,
			PutIn: `serve shop --network app`, Heal: `docker service rm shop`,
			Code: "SN417",
		},
	}
}

// attachmentFaults are those of containers that "docker run" put on a network.
func attachmentFaults() []Fault {
	return []Fault{
		{
			Name: "container-on-lost-node", Is: "a node was lost with a container on a network",
			Setup:   `overlay app --attachable; at 3 run -d --name debug --network app swarmnet/demo`,
			PutIn:   `engine 3 stop; state 3 Down`,
			Heal:    `docker node rm --force "$(node 3)"`,
			Restore: `engine 3 start; eventually at 3 rm -f debug; at 3 swarm leave --force; join 3`,
			Code:    "SN501", Object: "app", Follows: []string{"SN105"},
		},
		{
			Name: "only-containers", Is: `only a container of "docker run" is on a network`,
			Setup: `overlay app --attachable`,
			PutIn: `at 3 run -d --name debug --network app swarmnet/demo`, Heal: `at 3 rm -f debug`,
			Code: "SN502", Object: "app",
		},
	}
}
