package faults

// addressFaults are those of subnets, pools and addresses.
func addressFaults() []Fault {
	return []Fault{
		{
			Name: "full-by-replicas", Is: "more tasks than a /29 has addresses",
			Setup: `overlay tiny --subnet 10.77.0.0/29`,
			PutIn: `serve shop --network tiny --replicas 6`,
			Heal:  `overlay roomy; docker service update -d --network-add roomy --network-rm tiny shop; running shop 6`,
			Code:  "SN201", Object: "tiny", Follows: []string{"SN401", "SN403", "SN405"},
			Explain: "shop", Broken: "addresses", CI: true,
		},
		{
			Name: "full-by-vips", Is: "services without tasks hold all addresses of a /29",
			Setup: `overlay tiny --subnet 10.77.0.0/29`,
			PutIn: `for i in 1 2 3 4 5 6; do serve shop$i --network tiny --replicas 0; done`,
			Heal:  `docker service rm shop1 shop2 shop3 shop4`,
			Code:  "SN201", Object: "tiny", Follows: []string{"SN401"},
		},
		{
			Name: "full-by-containers", Is: `containers of "docker run" hold all addresses of a /29`,
			Setup: `overlay tiny --attachable --subnet 10.77.0.0/29`,
			PutIn: `for i in 1 2 3 4; do docker run -d --name c$i --network tiny swarmnet/demo; done`,
			Heal:  `docker rm -f c1 c2 c3 c4`,
			Code:  "SN201", Object: "tiny", Follows: []string{"SN502"},
		},
		{
			Name: "no-address-for-a-vip", Is: "a new service finds its network full",
			Setup: `overlay tiny --subnet 10.77.0.0/29; serve big --network tiny --replicas 6
				full() { [[ $(docker service ps big --format '{{.CurrentState}}' | grep -c Running) -ge 2 ]]; }
				eventually full; sleep 3`,
			PutIn: `serve shop --network tiny`,
			Heal:  `overlay roomy; docker service update -d --network-add roomy --network-rm tiny shop; running shop 1`,
			Code:  "SN416", Object: "shop", Follows: []string{"SN401", "SN405", "SN201", "SN403"},
			Explain: "shop", Broken: "addresses",
		},
		{
			Name: "near-full", Is: "a /28 with two addresses left",
			Setup: `overlay small --subnet 10.77.0.0/28`,
			PutIn: `for i in $(seq 11); do serve shop$i --network small --replicas 0; done`, Heal: `docker service rm shop1 shop2 shop3 shop4 shop5 shop6`,
			Code: "SN202", Object: "small",
		},
		{
			Name: "two-swarms-overlap", Is: "networks of two swarms have one subnet",
			Args: `--contexts $SANDBOX,$OTHER`, PutIn: `overlay app --subnet 10.76.0.0/24; docker -c "$OTHER" network create -d overlay --subnet 10.76.0.0/25 app`,
			Heal: `docker -c "$OTHER" network rm app`,
			Code: "SN205", Object: "app",
		},
		{
			Name: "over-the-nodes", Is: "a network has the subnet that the nodes are in",
			PutIn: `overlay wrong --subnet "$(address 1 | sed 's/[0-9]*$/0/')/24"`, Heal: `docker network rm wrong`,
			Code: "SN206", Object: "wrong", CI: true,
		},
		{
			Name: "over-a-bridge", Is: "a network has the subnet of a bridge of the manager",
			Setup: `docker network create --subnet 10.78.0.0/24 compose_default`,
			PutIn: `overlay app --subnet 10.78.0.0/24`, Heal: `docker network rm compose_default`,
			Code: "SN207", Object: "app", CI: true,
		},
		{
			Name: "over-docker_gwbridge", Is: "a network has the subnet of docker_gwbridge",
			PutIn: `overlay app --subnet "$(docker network inspect docker_gwbridge --format '{{(index .IPAM.Config 0).Subnet}}')"`,
			Heal:  `docker network rm app`,
			Code:  "SN207", Object: "app",
		},
		{
			Name: "pool-nearly-used", Is: "a pool of four blocks with none left", At: 3,
			Setup: `leave 3; forget; at 3 swarm init --advertise-addr "$(address 3)" --default-addr-pool 10.79.0.0/22`,
			PutIn: `for n in a b c; do at 3 network create -d overlay $n; done`,
			Heal:  `at 3 network rm a b c`, Restore: `at 3 swarm leave --force; join 3`,
			Code: "SN209",
		},
		{
			Name: "pool-used-up", Is: "a network was asked of a pool that has no block left", At: 3,
			Setup: `leave 3; forget; at 3 swarm init --advertise-addr "$(address 3)" --default-addr-pool 10.79.0.0/22
				for n in a b c; do at 3 network create -d overlay $n; done`,
			PutIn: `at 3 network create -d overlay d`,
			Heal:  `at 3 network rm d`, Restore: `at 3 swarm leave --force; join 3`,
			Code: "SN301", Object: "d",
		},
		{
			Name: "leak-by-stack-rm", Is: "a network was removed before its tasks had ended, so that ingress has lost an address",
			Kind:  NeedsEngine,
			PutIn: `overlay app; serve web --network app --publish 8080:8080 --replicas 3; running web 3; docker service rm web; eventually docker network rm app`,
			Code:  "SN203", Object: "ingress",
		},
	}
}
