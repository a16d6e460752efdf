package faults

// A State is one healthy state of a swarm: what brings it about, after the
// states before it.
type State struct {
	Name   string
	Script string
	// Nodes is how many the state takes at least.
	Nodes int
}

// HealthyStates is a day in the life of a swarm in which nothing is wrong. After each
// state one check is run, some of them in the middle of a change.
func HealthyStates() []State {
	return []State{
		{Name: "empty"},
		{Name: "network and service", Script: `overlay app; serve web --network app --replicas 2; running web 2`},
		{Name: "just created", Script: `serve api --network app --replicas 3`},
		{Name: "all run", Script: `running api 3`},
		{Name: "scaled up just now", Script: `docker service scale -d api=5`},
		{Name: "scaled down just now", Script: `running api 5; docker service scale -d api=1`},
		{Name: "scaled to 0", Script: `docker service scale -d api=0; running api 0`},
		{Name: "global service", Script: `serve agent --mode global; eventually _global agent`},
		{Name: "ingress port", Script: `serve front --network app --publish 8080:8080; running front 1`},
		{Name: "host port, one for each node", Script: `serve proxy --mode global --publish mode=host,published=8081,target=8080; eventually _global proxy`},
		{Name: "dnsrr", Script: `serve cache --network app --endpoint-mode dnsrr --replicas 2; running cache 2`},
		{Name: "a container on an attachable network", Script: `overlay tools --attachable; serve tool --network tools; running tool 1; docker run -d --name debug --network tools swarmnet/demo`},
		{Name: "container removed", Script: `docker rm -f debug; docker service rm tool; eventually docker network rm tools`},
		{Name: "mid-update", Script: `docker service update -d --env-add VERSION=2 web`},
		{Name: "updated", Script: `updated web completed`},
		{Name: "rolled back by hand", Script: `docker service rollback -d web; updated web rollback_completed`},
		{Name: "start-first update", Script: `docker service update -d --update-order start-first --env-add VERSION=3 web; updated web completed`},
		{Name: "forced restart", Script: `docker service update -d --force web`},
		{Name: "encrypted network", Script: `updated web completed; overlay secret --opt encrypted; serve vault --network secret; running vault 1`},
		{Name: "several subnets", Script: `overlay wide --subnet 10.90.0.0/24 --subnet 10.90.1.0/24; serve wide --network wide; running wide 1`},
		{Name: "internal network", Script: `overlay inner --internal; docker service update -d --network-add inner vault; updated vault completed`},
		{Name: "stack", Script: `stack shop`},
		{Name: "stack again", Script: `stack shop`},
		{Name: "second stack on a shared network", Script: `stack blog`},
		{Name: "stacks removed just now", Script: `docker stack rm --detach=true shop blog`},
		{Name: "job at work", Script: `docker service create -d --no-resolve-image --name job --mode replicated-job --entrypoint '/docker-swarmnet --help' swarmnet/demo`},
		{Name: "job done", Script: `eventually _done job`},
		{Name: "node drained just now", Script: `docker node update --availability drain "$(node 2)"`, Nodes: 2},
		{Name: "node drained", Script: `running web 2`, Nodes: 2},
		{Name: "node paused", Script: `docker node update --availability pause "$(node 2)"`, Nodes: 2},
		{Name: "node active again", Script: `docker node update --availability active "$(node 2)"; running web 2`, Nodes: 2},
		{Name: "constraint that fits", Script: `docker node update --label-add disk=ssd "$(node 1)"; serve disk --constraint node.labels.disk==ssd; running disk 1`},
		{Name: "services removed just now", Script: `docker service rm web api vault wide`},
	}
}
