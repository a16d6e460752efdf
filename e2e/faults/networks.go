package faults

// networkFaults are those of networks and their options.
func networkFaults() []Fault {
	return []Fault{
		{
			Name: "overlapping-subnet", Is: "a network was asked with a part of another's subnet",
			Setup: `overlay first --subnet 10.77.0.0/24`,
			PutIn: `overlay second --subnet 10.77.0.0/25`, Heal: `docker network rm second`,
			Code: "SN301", Object: "second", CI: true,
		},
		{
			Name: "service-on-unmade-network", Is: "a service is on a network that was never made",
			Setup: `overlay first --subnet 10.77.0.0/24; overlay second --subnet 10.77.0.0/25; sleep 11`,
			PutIn: `serve shop --network second`,
			Heal:  `docker service rm shop; docker network rm second`,
			Code:  "SN401", Object: "shop", Follows: []string{"SN405"},
			Explain: "shop", Broken: "network",
		},
		{
			Name: "mtu-option-misspelt", Is: "com.docker.network.mtu in place of com.docker.network.driver.mtu",
			PutIn: `overlay app --opt com.docker.network.mtu=1400`, Heal: `docker network rm app`,
			Code: "SN302", Object: "app", CI: true,
		},
		{
			Name: "encryption-misspelt", Is: "the option encryption, which does not encrypt",
			PutIn: `overlay app --opt encryption=true`, Heal: `docker network rm app`,
			Code: "SN302", Object: "app",
		},
		{
			Name: "encrypted-false", Is: "encrypted=false, which encrypts",
			PutIn: `overlay app --opt encrypted=false`, Heal: `docker network rm app`,
			Code: "SN303", Object: "app",
		},
		{
			Name: "one-mtu-lowered", Is: "one network has the uplink's MTU, another the default",
			Setup: `overlay old`,
			PutIn: `overlay new --opt com.docker.network.driver.mtu=1400`, Heal: `docker network rm new`,
			Code: "SN304", Follows: []string{"SN305"},
		},
		{
			Name: "ingress-mtu", Is: "all networks have the uplink's MTU, ingress the default",
			Setup: `serve front --publish 8080:8080; running front 1`,
			PutIn: `overlay app --opt com.docker.network.driver.mtu=1400`, Heal: `docker network rm app`,
			Code: "SN305", Object: "ingress",
		},
		{
			Name: "ipv6", Is: "a network with IPv6",
			PutIn: `overlay app --ipv6 --subnet 10.77.0.0/24 --subnet fd00:77::/64`, Heal: `docker network rm app`,
			Code: "SN306", Object: "app",
		},
		{
			Name: "ingress-removed", Is: "ingress was removed and not made again",
			PutIn: `echo y | docker network rm ingress`, Heal: `sleep 2; docker network create -d overlay --ingress ingress`,
			Code: "SN307",
		},
		{
			Name: "unused", Is: "nobody is on a network",
			PutIn: `overlay old`, Heal: `docker network rm old`,
			Code: "SN310", Object: "old",
		},
		{
			Name: "left-by-a-stack", Is: "the network of a stack that is gone",
			PutIn: `overlay shop_default --label com.docker.stack.namespace=shop`, Heal: `docker network rm shop_default`,
			Code: "SN311", Object: "shop_default",
		},
	}
}
