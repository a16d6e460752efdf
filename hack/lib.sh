# shellcheck shell=bash
# What the scripts of this folder share. To be sourced.

# say prints a line for the person watching; stdout stays for results.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# cache_dir prints the directory that holds what is costly to make.
cache_dir() { printf '%s\n' "${SWARMNET_CACHE:-/var/cache/docker-swarmnet}"; }

# need COMMAND=PACKAGE... installs the packages whose command is missing.
# /usr/sbin is looked at as well: root's PATH after "su" lacks it.
need() {
	local pair missing=()
	PATH="$PATH:/usr/sbin:/sbin"
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	if ((${#missing[@]} == 0)); then
		return
	fi
	command -v apt-get >/dev/null || die "missing packages: ${missing[*]} (and no apt-get to install them with)"
	((EUID == 0)) || die "missing packages, type: sudo apt-get install ${missing[*]}"
	say "installing ${missing[*]}"
	# A package's engine must not start: nothing here uses it, and it would
	# set the machine's FORWARD chain to DROP.
	local policy=/usr/sbin/policy-rc.d made=
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		made=1
	fi
	local failed=0
	apt_install "${missing[@]}" || failed=1
	if [[ -n $made ]]; then
		rm -f "$policy"
	fi
	((failed == 0)) || die "could not install ${missing[*]}"
}

# apt_install PACKAGE... installs them, with one refresh of the package lists
# when the first try fails: on a fresh machine there are none.
apt_install() {
	local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends)
	"${install[@]}" "$@" >/dev/null 2>&1 && return
	apt-get update -qq >/dev/null && "${install[@]}" "$@" >/dev/null
}


# image_tar TAR CONFIG TAG... packs a root file system, a tar on stdin, as an
# image for "docker load". CONFIG is the JSON of the image's config (Env,
# Entrypoint...). The result depends on the input alone.
image_tar() {
	local tar=$1 config=$2 work layer
	shift 2
	work=$(mktemp -d)
	cat >"$work/layer.tar"
	layer=$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)
	printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
		"$(dpkg --print-architecture)" "$config" "$layer" >"$work/config.json"
	printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' \
		"$(printf ',"%s"' "$@" | cut -c2-)" >"$work/manifest.json"
	mkdir -p "$(dirname "$tar")"
	tar -C "$work" "${TAR_PLAIN[@]}" -cf "$tar.part" manifest.json config.json layer.tar
	mv "$tar.part" "$tar"
	rm -rf "$work"
}

# TAR_PLAIN makes a tar the same for the same files, whoever packs it.
# shellcheck disable=SC2034 # for the scripts that source this file
TAR_PLAIN=(--format=gnu --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0)

# need_sandbox installs what "docker swarmnet sandbox" calls.
need_sandbox() {
	need dockerd=docker.io ip=iproute2 iptables=iptables nsenter=util-linux
}
