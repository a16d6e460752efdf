// Package sandbox makes real multi-node swarms on this machine: dockerd
// processes, each a machine of its own to Docker, joined through the Docker
// API and reachable as docker contexts. A driver makes the machines; all else
// (names, subnets, locks, joining, contexts, images) is the same for all.
package sandbox
