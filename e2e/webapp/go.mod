module github.com/swarmnet/docker-swarmnet/e2e/webapp

go 1.23.0

require github.com/lib/pq v1.10.9
