# Functions of the scripts in the catalogue. The environment: DOCKER_CONTEXT,
# SANDBOX and SANDBOX_DIR of the swarm, OTHER, the context of another swarm.
set -euo pipefail

# node I: the name of node I, which is its hostname and its context.
node() { echo "$SANDBOX-n$1"; }

# at I COMMAND...: docker at the engine of node I.
at() {
	local i=$1
	shift
	docker -c "$(node "$i")" "$@"
}

# inside I COMMAND...: a command in the network namespace of node I.
inside() {
	local i=$1
	shift
	nsenter --net="$SANDBOX_DIR/n$i/net" "$@"
}

# address I: the address of node I.
address() { inside "$1" ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4; exit }'; }

# eventually COMMAND...: tries until the command succeeds.
eventually() {
	local last
	for _ in $(seq 200); do
		if last=$("$@" 2>&1); then return 0; fi
		sleep 0.4
	done
	echo "gave up: $*: $last" >&2
	return 1
}

# serve NAME [OPTION...]: a service of the demo image.
serve() {
	local name=$1
	shift
	docker service create -d --no-resolve-image --name "$name" "$@" swarmnet/demo
}

# overlay NAME [OPTION...]
overlay() {
	local name=$1
	shift
	docker network create -d overlay "$@" "$name"
}

# running SERVICE N: waits until N of its tasks run.
running() { eventually _running "$@"; }
_running() { docker service ls --format '{{.Name}} {{.Replicas}}' | grep -q "^$1 $2/"; }

# state I WORD: waits until the swarm says WORD of node I.
state() { eventually _state "$@"; }
_state() {
	docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}' | grep -q "^$(node "$1") .*$2"
}

# updated SERVICE STATE: waits for the end of an update.
updated() { eventually _updated "$@"; }
_updated() { [[ $(docker service inspect "$1" --format '{{.UpdateStatus.State}}') == "$2" ]]; }

# leave I: node I leaves the swarm, which sees it Down.
leave() {
	at "$1" swarm leave --force
	state "$1" Down
}

# join I [OPTION...]: node I joins as a worker.
join() {
	local i=$1 token manager
	shift
	token=$(docker swarm join-token -q worker)
	manager=$(docker info --format '{{.Swarm.NodeAddr}}')
	at "$i" swarm join "$@" --token "$token" "$manager:2377"
	state "$i" Ready
}

# forget: removes the entries of nodes that are down.
forget() {
	docker node ls --format '{{.ID}} {{.Status}}' | awk '$2 == "Down" { print $1 }' | xargs -r docker node rm --force
}

# rejoin I: node I, out of the swarm, becomes a member as it was.
rejoin() {
	join "$1"
	forget
}

# engine I WORD: stop, start, cut or heal node I.
engine() { docker swarmnet sandbox node "$2" --progress quiet "$(node "$1")"; }

# vni NETWORK
vni() { docker network inspect "$1" --format '{{index .Options "com.docker.network.driver.overlay.vxlanid_list"}}'; }

# pid I: the process of the engine of node I.
pid() {
	sed -n "/\"Name\": \"$(node "$1")\"/,/\"PID\"/ s/.*\"PID\": \([0-9]*\).*/\1/p" "$SANDBOX_DIR/state.json"
}

# within I NETWORK COMMAND...: a command in the namespace that node I has for
# an overlay network on which it runs a task.
within() {
	local i=$1 id
	id=$(docker network inspect "$2" --format '{{.Id}}')
	shift 2
	# shellcheck disable=SC2016 # for the shell inside
	nsenter -t "$(pid "$i")" -m -- sh -c \
		'file=$(ls -d /run/docker/netns/*-"$0" | grep -v lb_ | head -n 1) && exec nsenter --net="$file" "$@"' "${id:0:10}" "$@"
}

# drop I PORT...: node I drops what comes in on protocol/port.
drop() {
	local i=$1 p
	shift
	for p in "$@"; do inside "$i" iptables -w -I INPUT -p "${p%/*}" --dport "${p#*/}" -j DROP; done
}

# undrop I PORT...: takes that back.
undrop() {
	local i=$1 p
	shift
	for p in "$@"; do inside "$i" iptables -w -D INPUT -p "${p%/*}" --dport "${p#*/}" -j DROP; done
}

# worker I: waits until node I is no manager any more, for itself too.
worker() { eventually _worker "$1"; }
_worker() { [[ $(at "$1" info --format '{{.Swarm.ControlAvailable}}') == false ]]; }

# _global SERVICE: whether every node runs its task.
_global() {
	local ready
	ready=$(docker node ls --format '{{.Status}} {{.Availability}}' | grep -c '^Ready Active')
	[[ $(docker service ls --format '{{.Name}} {{.Replicas}}' | awk -v s="$1" '$1 == s { print $2 }') == "$ready/$ready" ]]
}

# _done JOB: whether its one task has completed.
_done() { docker service ps "$1" --format '{{.CurrentState}}' | grep -q '^Complete'; }

# stack NAME: deploys a stack of two services, one of them also on the network
# "shared" that is made for it, and waits until it runs.
stack() {
	docker network inspect shared >/dev/null 2>&1 || overlay shared
	docker stack deploy --detach=true --resolve-image never -c - "$1" <<-END
		version: "3.8"
		services:
		  $1-web:
		    image: swarmnet/demo
		    networks: [default, shared]
		    deploy: {replicas: 2, update_config: {order: start-first}}
		    healthcheck:
		      test: [CMD, /docker-swarmnet, --help]
		      interval: 1s
		  db:
		    image: swarmnet/demo
		networks:
		  shared: {external: true}
	END
	running "${1}_$1-web" 2
	running "${1}_db" 1
}

# guest: the address that the other sandbox's node has in this one's subnet.
guest() { address 1 | sed 's/[0-9]*$/99/'; }

# plug, unplug: a cable between the switches of both sandboxes, and that address.
plug() {
	nsenter --net="$SANDBOX_DIR/switch" ip link add guest type veth peer name guest netns "$OTHER_DIR/switch"
	for switch in "$SANDBOX_DIR/switch" "$OTHER_DIR/switch"; do
		nsenter --net="$switch" ip link set guest master br0 up
	done
	nsenter --net="$OTHER_DIR/n1/net" ip addr add "$(guest)/24" dev eth0
}
unplug() {
	nsenter --net="$OTHER_DIR/n1/net" ip addr del "$(guest)/24" dev eth0
	nsenter --net="$SANDBOX_DIR/switch" ip link del guest
}
address_of_other() { nsenter --net="$OTHER_DIR/n1/net" ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4; exit }'; }

# _nodes N: whether N nodes are ready.
_nodes() { [[ $(docker node ls --format '{{.Status}}' | grep -c Ready) == "$1" ]]; }
