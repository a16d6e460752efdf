package faults

// clusterFaults are those of nodes and of the engine that is asked.
func clusterFaults() []Fault {
	return []Fault{
		{
			Name: "worker-left", Is: "a worker has left, its entry is still there",
			PutIn: `leave 3`, Heal: `rejoin 3`,
			Code: "SN105", Object: "n3", CI: true,
		},
		{
			Name: "worker-killed", Is: "a worker has lost power",
			Setup: `serve web --replicas 3; running web 3`,
			PutIn: `engine 3 stop; state 3 Down`, Heal: `engine 3 start; state 3 Ready`,
			Code: "SN105", Object: "n3", Follows: []string{"SN405"},
		},
		{
			Name: "worker-cut", Is: "a worker's cable is out",
			PutIn: `engine 3 cut; state 3 Down`, Heal: `engine 3 heal; state 3 Ready`,
			Code: "SN105", Object: "n3",
		},
		{
			Name: "worker-frozen", Is: "a worker's engine hangs",
			PutIn: `kill -STOP "$(pid 3)"; state 3 Down`, Heal: `kill -CONT "$(pid 3)"; state 3 Ready`,
			Code: "SN105", Object: "n3",
		},
		{
			Name: "manager-port-blocked", Is: "a worker cannot reach 2377/tcp of the manager",
			PutIn: `drop 1 tcp/2377; state 3 Down`, Heal: `undrop 1 tcp/2377; state 3 Ready; state 2 Ready`,
			Code: "SN105", Object: "n3",
		},
		{
			Name: "twice-the-same-node", Is: "a node has joined again without its old entry being removed",
			PutIn: `leave 3; join 3`, Heal: `forget`,
			Code: "SN109", Object: "n3", Follows: []string{"SN105"}, CI: true,
		},
		{
			Name: "two-nodes-one-name", Is: "two machines have one hostname",
			PutIn: `nsenter -t "$(pid 3)" --uts hostname "$(node 2)"
				named() { [[ $(docker node ls --format '{{.Hostname}}' | sort | uniq -d) == "$(node 2)" ]]; }
				eventually named`,
			Heal: `nsenter -t "$(pid 3)" --uts hostname "$(node 3)"; state 3 Ready`,
			Code: "SN109", Object: "n2",
		},
		{
			Name: "no-swarm", Is: "the context's engine, a manager, has left its swarm", At: 3,
			Setup: `leave 3; forget; at 3 swarm init --advertise-addr "$(address 3)"`,
			PutIn: `at 3 swarm leave --force`,
			Heal:  `at 3 swarm init --advertise-addr "$(address 3)"`, Restore: `at 3 swarm leave --force; join 3`,
			Code: "SN102", CI: true,
		},
		{
			Name: "loopback-address", Is: "a swarm was begun with a loopback address, and another node has joined", At: 3,
			Setup: `leave 2; leave 3; forget`,
			PutIn: `at 3 swarm init --advertise-addr 127.0.0.1 --listen-addr 0.0.0.0:2377
				at 2 swarm join --token "$(at 3 swarm join-token -q worker)" "$(address 3):2377"`,
			Heal:    `at 2 swarm leave --force; at 3 swarm leave --force; at 3 swarm init --advertise-addr "$(address 3)"`,
			Restore: `at 3 swarm leave --force; join 2; join 3`,
			Code:    "SN107", Object: "127.0.0.1",
		},
		{
			Name: "public-and-private", Is: "one node is in the swarm by a public address, the rest by private ones",
			Setup: `leave 3; forget`,
			PutIn: `inside 3 ip addr add 198.18.7.3/32 dev eth0
				for i in 1 2; do
					inside $i ip route replace 198.18.7.3/32 dev eth0
					inside 3 ip route replace "$(address $i)/32" dev eth0 src 198.18.7.3
				done
				join 3 --advertise-addr 198.18.7.3`,
			Heal: `leave 3
				inside 3 ip addr del 198.18.7.3/32 dev eth0
				for i in 1 2; do
					inside $i ip route del 198.18.7.3/32 dev eth0
					inside 3 ip route del "$(address $i)/32" dev eth0 || true
				done
				rejoin 3`,
			Code: "SN108",
		},
		{
			Name: "even-managers", Is: "a second manager, so that two of two are needed",
			PutIn: `docker node promote "$(node 2)"; state 2 Reachable`, Heal: `docker node demote "$(node 2)"; worker 2`,
			Code: "SN103", CI: true,
		},
		{
			Name: "engine-upgraded-on-one-node", Is: "one node runs another engine version", Swarm: Mixed,
			Setup:   `plug; docker -c "$OTHER" swarm leave --force`,
			PutIn:   `docker -c "$OTHER" swarm join --advertise-addr "$(guest)" --token "$(docker swarm join-token -q worker)" "$(address 1):2377"; eventually _nodes 3`,
			Heal:    `docker -c "$OTHER" swarm leave --force; eventually _nodes 2; forget`,
			Restore: `unplug; docker -c "$OTHER" swarm init --advertise-addr "$(address_of_other)"`,
			Code:    "SN110",
		},
		{
			Name: "engine-with-a-hole", Is: "an engine of before 20.10.24 and an encrypted network", Swarm: Old,
			PutIn: `overlay secret --opt encrypted`, Heal: `docker network rm secret`,
			Code: "SN112", Loud: true,
		},
	}
}

// managerFaults are those of a swarm with three managers.
func managerFaults() []Fault {
	return []Fault{
		{
			Name: "manager-killed", Is: "one of three managers has lost power", Swarm: Managers,
			PutIn: `engine 3 stop; state 3 Unreachable`, Heal: `engine 3 start; state 3 Reachable; state 3 Ready`,
			Code: "SN106", Object: "n3", Follows: []string{"SN105"},
		},
		{
			Name: "quorum-lost", Is: "two of three managers have lost power", Swarm: Managers,
			PutIn: `engine 2 stop; engine 3 stop`,
			Heal:  `engine 2 start; engine 3 start; for i in 1 2 3; do state $i Ready; done; state 3 'Reachable\|Leader'`,
			Code:  "SN101", Follows: []string{"SN106"},
		},
		{
			Name: "managers-demoted", Is: "two of three managers were demoted", Swarm: Managers,
			PutIn: `docker node demote "$(node 3)"; worker 3; docker node demote "$(node 2)"; worker 2`,
			Heal:  `docker node promote "$(node 2)" "$(node 3)"; state 2 Reachable; state 3 Reachable`,
			Code:  "SN104",
		},
		{
			Name: "bridge-of-the-same-name", Is: "a manager has a bridge with the name of an overlay", Swarm: Managers, At: 2,
			PutIn: `at 2 network create data; overlay data`,
			Heal:  `at 2 network rm "$(at 2 network ls -q --filter name=data --filter driver=bridge)"`,
			Code:  "SN309", Object: "data",
		},
	}
}
