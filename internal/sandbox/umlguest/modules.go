package umlguest

import (
	"bufio"
	"io"
	"path"
	"strings"
)

// moduleNames returns the modules that a swarm's data plane needs, overlay
// first. They are loaded at the start: the minimal root file systems that an
// engine may come from have no modprobe for the kernel to call. So those that
// the kernel asks for by what they do are here too: the last four are the
// random numbers without which the IPsec of an encrypted network fails with "no
// such file or directory" (crypto_get_default_rng, crypto/rng.c).
func moduleNames() []string {
	return strings.Fields(`
		overlay veth bridge br_netfilter vxlan dummy
		nf_conntrack nf_nat nf_conntrack_netlink
		ip_vs ip_vs_rr xt_ipvs
		ip_tables iptable_filter iptable_nat iptable_mangle iptable_raw
		xt_MASQUERADE xt_nat xt_conntrack xt_mark xt_addrtype xt_comment xt_tcpudp
		xt_u32 xt_policy xt_bpf xt_REDIRECT xt_multiport
		ip_set ip_set_hash_net xt_set
		esp4 xfrm_user gcm ghash-generic ctr seqiv hmac sha512_generic jitterentropy_rng drbg`)
}

// moduleTree knows which modules there are and what each needs first.
type moduleTree map[string][]string

// parseModulesDep reads a modules.dep(5): "kernel/a.ko: kernel/b.ko kernel/c.ko",
// where a needs b and c and c has to be loaded first.
func parseModulesDep(r io.Reader) (moduleTree, error) {
	tree := moduleTree{}
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		file, needs, ok := strings.Cut(sc.Text(), ":")
		if !ok {
			continue
		}
		order := []string{}
		fields := strings.Fields(needs)
		for i := len(fields) - 1; i >= 0; i-- {
			order = append(order, fields[i])
		}
		tree[moduleName(file)] = append(order, file)
	}
	return tree, sc.Err()
}

// files returns the files to load for a module, in order; none when there is
// no such module or it is part of the kernel.
func (t moduleTree) files(name string) []string { return t[moduleName(name)] }

// moduleName is a module's name, in which "-" and "_" are the same.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".")
	return strings.ReplaceAll(name, "-", "_")
}
