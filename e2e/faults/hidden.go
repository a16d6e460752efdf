package faults

// hiddenFaults are those that nothing in the API tells of. A service runs on
// one network over all nodes while they are put in.
func hiddenFaults() []Fault {
	const pair = `overlay app; serve web --mode global --network app; running web 3`
	const gossip, data = `tcp/7946 udp/7946`, `udp/4789`
	all := []Fault{
		{
			Name: "gossip-blocked", Is: "a node drops 7946, tcp and udp",
			PutIn: `drop 3 ` + gossip, Heal: `undrop 3 ` + gossip,
		},
		{
			Name: "gossip-udp-blocked", Is: "a node drops 7946/udp only",
			PutIn: `drop 3 udp/7946`, Heal: `undrop 3 udp/7946`,
		},
		{
			Name: "vxlan-blocked", Is: "a node drops 4789/udp",
			PutIn: `drop 3 ` + data, Heal: `undrop 3 ` + data,
		},
		{
			Name: "vxlan-blocked-one-way", Is: "a node drops 4789/udp of one other node",
			PutIn: `inside 3 iptables -w -I INPUT -p udp --dport 4789 -s "$(address 2)" -j DROP`,
			Heal:  `inside 3 iptables -w -D INPUT -p udp --dport 4789 -s "$(address 2)" -j DROP`,
		},
		{
			Name: "esp-blocked", Is: "a node drops ESP, and a network is encrypted",
			Setup: `overlay secret --opt encrypted; serve vault --mode global --network secret; running vault 3`,
			PutIn: `inside 3 iptables -w -I INPUT -p esp -j DROP`, Heal: `inside 3 iptables -w -D INPUT -p esp -j DROP`,
		},
		{
			Name: "uplink-mtu", Is: "a node's interface carries 1300 bytes",
			PutIn: `inside 3 ip link set eth0 mtu 1300`, Heal: `inside 3 ip link set eth0 mtu 1500`,
		},
		{
			Name: "forwarding-entry-lost", Is: "a node has lost the forwarding entries of another node's containers",
			PutIn: `within 3 app bridge fdb show dev vxlan0 | awk -v dst="$(address 2)" '$0 ~ dst { print $1 }' >"$TMP/fdb"
				[[ -s $TMP/fdb ]]
				while read -r mac; do within 3 app bridge fdb del "$mac" dev vxlan0 dst "$(address 2)"; done <"$TMP/fdb"`,
			Heal: `while read -r mac; do within 3 app bridge fdb replace "$mac" dev vxlan0 dst "$(address 2)" self permanent; done <"$TMP/fdb"`,
		},
		{
			Name: "neighbour-lost", Is: "a node's neighbour entries for an overlay are gone",
			PutIn: `within 3 app ip neigh show dev vxlan0 | awk '/PERMANENT/ { print $1, $3 }' >"$TMP/neigh"
				[[ -s $TMP/neigh ]]
				while read -r ip mac; do within 3 app ip neigh del "$ip" lladdr "$mac" dev vxlan0; done <"$TMP/neigh"`,
			Heal: `while read -r ip mac; do within 3 app ip neigh replace "$ip" lladdr "$mac" dev vxlan0 nud permanent; done <"$TMP/neigh"`,
		},
		{
			Name: "vxlan-link-down", Is: "the vxlan link of an overlay is down on one node",
			PutIn: `within 3 app ip link set vxlan0 down`, Heal: `within 3 app ip link set vxlan0 up`,
		},
		{
			Name: "stale-names", Is: "a node without gossip keeps the names of tasks that were replaced",
			PutIn: `drop 3 ` + gossip + `; docker service update -d --env-add VERSION=2 web; updated web completed`,
			Heal:  `undrop 3 ` + gossip,
		},
		{
			Name: "mesh-rules-lost", Is: "somebody flushed the rules of the routing mesh on one node",
			Setup: `serve front --replicas 2 --publish 8080:8080; running front 2`,
			// On a kernel without IPVS no engine comes to write them (seen on 20.10 and 26.1).
			PutIn: `if inside 3 iptables -w -t nat -S DOCKER-INGRESS; then inside 3 iptables -w -t nat -F DOCKER-INGRESS; fi`,
			Heal:  `if inside 3 iptables -w -t nat -S DOCKER-INGRESS; then inside 3 iptables -w -t nat -A DOCKER-INGRESS -j RETURN; fi`,
		},
		{
			Name: "forwarding-dropped", Is: "a node's firewall drops what containers send out",
			PutIn: `inside 3 iptables -w -I FORWARD -j DROP`, Heal: `inside 3 iptables -w -D FORWARD -j DROP`,
		},
	}
	for i := range all {
		all[i].Kind = NeedsProbe
		all[i].Setup = pair + "\n" + all[i].Setup
	}
	return all
}
