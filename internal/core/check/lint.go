package check

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// ipvsTimeout is after how many idle seconds the kernel forgets a connection to
// a virtual address (net/netfilter/ipvs: tcp established).
const ipvsTimeout = 900

const keepalive = "net.ipv4.tcp_keepalive_time"

// idleVipWithoutKeepalive finds servers that clients keep connections to, by
// their image, and clients beside them that would not notice a dropped one.
func idleVipWithoutKeepalive(l *look) (o outcome) {
	careless := map[string]int{} // services by network ID
	for id, members := range l.members {
		for _, sv := range members {
			if !keepsAlive(sv) {
				careless[id]++
			}
		}
	}
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if sv.EndpointMode == "dnsrr" || !pooled(sv.Image) {
			continue
		}
		for _, n := range l.wanted(sv) {
			clients := careless[n.ID]
			if !keepsAlive(sv) {
				clients-- // it is no client of itself
			}
			if n.Ingress || clients < 1 {
				continue
			}
			f := l.onService(sv, "the kernel drops connections to its virtual address after 15 idle minutes, and %s on network %s keep none alive before", plural(clients, "service"), name(n.Name))
			o.add(f.then("in the clients: --sysctl " + keepalive + "=600, or use tasks." + text.Clean(sv.Name)))
			break
		}
	}
	return o
}

func keepsAlive(sv *swarm.Service) bool {
	seconds, err := strconv.Atoi(sv.Sysctls[keepalive])
	return err == nil && seconds < ipvsTimeout
}

// pooled tells whether an image is of a server that clients keep idle
// connections to (moby#31208, #37822).
func pooled(image string) bool {
	repository, _, _ := strings.Cut(image, "@")
	base, _, _ := strings.Cut(path.Base(repository), ":")
	return slices.Contains([]string{
		"postgres", "postgresql", "pgbouncer", "mysql", "mariadb", "percona", "mongo", "mongodb", "redis", "valkey", "rabbitmq",
		"openldap", "memcached", "mssql-server", "nats", "kafka", "cassandra", "elasticsearch", "timescaledb", "postgis",
	}, base)
}

// reached tells whether others connect to a service.
func (l *look) reached(sv *swarm.Service) bool {
	return !sv.Mode.Job() && (len(sv.Ports) > 0 || len(l.wanted(sv)) > 0)
}

func singleReplicaStopFirst(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if sv.Mode == swarm.Replicated && sv.Replicas == 1 && sv.UpdateOrder == "stop-first" && l.reached(sv) {
			f := l.onService(sv, "an update stops its only task before the new one starts")
			o.add(f.then(l.cmd("service update --update-order start-first %s", text.Clean(sv.Name))))
		}
	}
	return o
}

// noHealthcheck cannot see a check that the image brings along, and says so.
func noHealthcheck(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if !sv.HasHealthcheck && l.reached(sv) {
			f := l.onService(sv, "it sets no health check (its image may have one): its tasks get traffic as soon as their process runs")
			o.add(f.then(l.cmd("service update --health-cmd COMMAND %s", text.Clean(sv.Name))))
		}
	}
	return o
}
