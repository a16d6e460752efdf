#!/bin/sh
# Installs docker-swarmnet as a plugin of the docker CLI. See usage below.
#
# A plugin directory never holds a half-written plugin: the file is copied
# under a name that docker does not look at, checked, and renamed.
set -eu

PACKAGE=github.com/swarmnet/docker-swarmnet
NAME=docker-swarmnet
SYSTEM_DIR=/usr/local/lib/docker/cli-plugins

usage() {
	cat <<END
Usage:  ./install.sh [OPTIONS]

Install the docker CLI plugin "swarmnet", built from this checkout.

Options:
      --binary FILE   Install FILE in place of building from the checkout
      --sha256 SUM    Refuse the FILE of --binary unless this is its SHA-256 sum
      --system        Install for all users, into $SYSTEM_DIR
      --uninstall     Remove the plugin again (with --system: that of all users)
  -h, --help          Print this text

Without --system the plugin goes to \$DOCKER_CONFIG/cli-plugins, which is
~/.docker/cli-plugins when DOCKER_CONFIG is not set.

Environment:
  DESTDIR   With --system: the directory of a package to be built. It stands
            before the path, and docker is not asked to run the plugin.

Exit codes: 0 done, 1 failed (what was installed before is still there),
125 wrong usage.
END
}

say() { printf '%s\n' "$*" >&2; }

fail() {
	say "install.sh: $1"
	if [ -n "${2:-}" ]; then
		printf '\n%s\n' "$2" >&2
	fi
	exit 1
}

wrong_usage() {
	say "install.sh: $1"
	printf '\n%s\n' "See './install.sh --help'." >&2
	exit 125
}

# need_value OPTION COUNT VALUE
need_value() {
	if [ "$2" -lt 2 ] || [ -z "$3" ]; then
		wrong_usage "option $1 needs a value"
	fi
}

parse() {
	binary='' sum='' system='' uninstall=''
	while [ $# -gt 0 ]; do
		case $1 in
		--binary)
			need_value "$1" $# "${2:-}"
			binary=$2
			shift
			;;
		--binary=*)
			need_value --binary 2 "${1#*=}"
			binary=${1#*=}
			;;
		--sha256)
			need_value "$1" $# "${2:-}"
			sum=$2
			shift
			;;
		--sha256=*)
			need_value --sha256 2 "${1#*=}"
			sum=${1#*=}
			;;
		--system) system=yes ;;
		--uninstall) uninstall=yes ;;
		-h | --help)
			usage
			exit 0
			;;
		-*) wrong_usage "unknown option \"$1\"" ;;
		*) wrong_usage "unexpected argument \"$1\"" ;;
		esac
		shift
	done
	if [ -n "$sum" ] && [ -z "$binary" ]; then
		wrong_usage "option --sha256 needs --binary"
	fi
	if [ -n "$uninstall" ] && [ -n "$binary" ]; then
		wrong_usage "options --uninstall and --binary exclude each other"
	fi
}

choose_directory() {
	case $(uname -s) in
	MINGW* | MSYS* | CYGWIN*)
		fail "this script is for Linux and macOS" \
			'On Windows, copy docker-swarmnet.exe to %USERPROFILE%\.docker\cli-plugins.'
		;;
	esac
	config=${DOCKER_CONFIG:-}
	if [ -z "$config" ] && [ -n "${HOME:-}" ]; then
		config=$HOME/.docker
	fi
	if [ -n "$system" ]; then
		dir=${DESTDIR:-}$SYSTEM_DIR
	elif [ -n "$config" ]; then
		dir=$config/cli-plugins
	else
		fail "neither HOME nor DOCKER_CONFIG is set" "Set one of them, or install for all users: ./install.sh --system"
	fi
	target=$dir/$NAME
	if [ -d "$target" ]; then
		fail "\"$target\" is a directory" "Move it away, then run the script again."
	fi
}

remove() {
	if [ ! -e "$target" ] && [ ! -L "$target" ]; then
		say "\"$target\" is not there, nothing to remove"
		return
	fi
	rm -f "$target" || fail "cannot remove \"$target\"" "$(as_root)"
	say "removed \"$target\""
}

# as_root is the advice for a directory that belongs to root.
as_root() {
	if [ -n "$system" ] && [ "$(id -u)" -ne 0 ]; then
		echo "Run the script as root, for example with sudo."
	fi
}

staging() { [ -n "$system" ] && [ -n "${DESTDIR:-}" ]; }

require_docker() {
	if ! staging && ! command -v docker >/dev/null 2>&1; then
		fail "there is no \"docker\" command on the PATH" \
			"swarmnet is a plugin of the docker CLI. Install that first: https://docs.docker.com/engine/install/"
	fi
	if [ -z "$system" ] && [ -n "${SUDO_USER:-}" ]; then
		say "note: under sudo this installs for the user \"$(id -un)\"; for all users add --system"
	fi
}

# build puts the plugin at $1.
build() {
	root=$(cd "$(dirname "$0")" && pwd)
	if ! grep -qsx "module $PACKAGE" "$root/go.mod"; then
		fail "\"$root\" is no checkout of docker-swarmnet" \
			"Run install.sh from a checkout, or give it a binary: --binary FILE --sha256 SUM"
	fi
	if ! command -v go >/dev/null 2>&1; then
		fail "there is no \"go\" command on the PATH to build with" \
			"Install Go (https://go.dev/dl/), or give a binary: ./install.sh --binary FILE --sha256 SUM"
	fi
	version=$(git -C "$root" describe --tags --always --dirty 2>/dev/null) || version=dev
	commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null) || commit=unknown
	say "building $version"
	(
		cd "$root"
		CGO_ENABLED=0 go build -trimpath -o "$1" -ldflags \
			"-s -w -X $PACKAGE/metadata.Version=$version -X $PACKAGE/metadata.Commit=$commit" .
	) || fail "the build failed, see above"
}

sha256_of() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum <"$1"
	elif command -v shasum >/dev/null 2>&1; then
		shasum -a 256 <"$1"
	elif command -v openssl >/dev/null 2>&1; then
		openssl dgst -sha256 -r <"$1"
	else
		fail "there is no sha256sum, shasum or openssl to check the sum with"
	fi
}

# take_binary copies the file of --binary to $1 and checks the copy, which
# nobody can change any more.
take_binary() {
	if [ ! -f "$binary" ]; then
		fail "there is no file \"$binary\""
	fi
	cat <"$binary" >"$1" || fail "cannot copy \"$binary\" to \"$dir\""
	if [ -z "$sum" ]; then
		return
	fi
	want=$(printf %s "$sum" | tr 'A-F' 'a-f')
	got=$(sha256_of "$1")
	got=${got%% *}
	if [ "$got" != "$want" ]; then
		fail "the SHA-256 sum of \"$binary\" is $got, not $want" "Get the file again."
	fi
}

install_plugin() {
	# The docker CLI keeps credentials in its directory and makes it private.
	if [ -z "$system" ] && [ ! -d "$config" ]; then
		(umask 077 && mkdir -p "$config") || fail "cannot make the directory \"$config\""
	fi
	(umask 022 && mkdir -p "$dir") || fail "cannot make the directory \"$dir\"" "$(as_root)"

	# Docker takes names beginning with "docker-" for plugins; this one does not.
	aside=$(mktemp "$dir/.swarmnet-install.XXXXXX") || fail "cannot write to \"$dir\"" "$(as_root)"
	trap 'rm -f "$aside"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	if [ -n "$binary" ]; then
		take_binary "$aside"
	else
		build "$aside"
	fi
	chmod 0755 "$aside"
	if ! staging && ! "$aside" docker-cli-plugin-metadata 2>/dev/null | grep -q '"Vendor"'; then
		fail "\"${binary:-the plugin just built}\" is no docker CLI plugin that runs on this machine ($(uname -s) $(uname -m))" \
			"The plugin directory is unchanged."
	fi
	mv -f "$aside" "$target" || fail "cannot write \"$target\""
	say "installed \"$target\""
}

# prove runs the plugin the way the user will.
prove() {
	if staging; then
		return
	fi
	if [ -n "$system" ] && [ -n "$config" ] && [ -e "$config/cli-plugins/$NAME" ]; then
		say "note: docker prefers the copy in \"$config/cli-plugins\"; remove that one with: ./install.sh --uninstall"
	fi
	if docker swarmnet version; then
		return
	fi
	# Docker also fails when no engine answers, and that is no fault of the installation.
	if docker swarmnet --help >/dev/null 2>&1; then
		say "note: the plugin is in place, but no docker engine answers yet"
		return
	fi
	fail "docker does not find the plugin in \"$dir\"" "See what docker looks at: docker info"
}

main() {
	parse "$@"
	choose_directory
	if [ -n "$uninstall" ]; then
		remove
		return
	fi
	require_docker
	install_plugin
	prove
}

main "$@"
