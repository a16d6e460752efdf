// Package umlguest is the inside of a sandbox on User Mode Linux: what runs as
// the first process of the guest kernel, the agent that the sandbox talks to
// from outside, and the words they share.
//
// The plugin's own static binary is all of the guest's software that is not
// Debian's: it is started by the kernel as process 1 (mounts, modules, the
// switch between the nodes), starts itself again as the agent, and once more
// for every node, where it enters the node's namespaces and becomes dockerd.
// Nothing here goes through a shell.
package umlguest
