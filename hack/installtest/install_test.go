// Package installtest runs install.sh against a home directory of its own. It
// needs no docker: the docker command is a stand-in that finds plugins where
// the real one does.
package installtest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
)

const (
	// docker is a docker CLI as far as the script can see.
	docker = `#!/bin/sh
plugin=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-swarmnet
if [ ! -x "$plugin" ]; then
	echo "docker: 'swarmnet' is not a docker command." >&2
	exit 1
fi
export DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND="$0"
exec "$plugin" "$@"
`
	// plugin is a plugin whose version is "NUMBER".
	plugin = `#!/bin/sh
case $1 in
docker-cli-plugin-metadata) echo '{"SchemaVersion":"0.1.0","Vendor":"test"}' ;;
swarmnet) echo "docker swarmnet NUMBER" ;;
esac
`
	// engineless is a plugin that cannot reach an engine.
	engineless = `#!/bin/sh
case "$*" in
docker-cli-plugin-metadata) echo '{"SchemaVersion":"0.1.0","Vendor":"test"}' ;;
*--help*) echo "Usage: docker swarmnet" ;;
*) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;;
esac
`
)

// machine is a home directory and a PATH that hold nothing of the real ones
// but the tools that every system has.
type machine struct {
	t         *testing.T
	home, bin string
	env       []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("install.sh is for Linux and macOS")
	}
	m := &machine{t: t, home: filepath.Join(t.TempDir(), "home"), bin: t.TempDir()}
	assert.NilError(t, os.Mkdir(m.home, 0o755))
	for _, tool := range []string{"cat", "chmod", "dirname", "grep", "id", "mkdir", "mktemp", "mv", "rm", "sh", "tr", "uname"} {
		path, err := exec.LookPath(tool)
		assert.NilError(t, err)
		assert.NilError(t, os.Symlink(path, filepath.Join(m.bin, tool)))
	}
	for _, tool := range []string{"sha256sum", "shasum", "openssl"} {
		if path, err := exec.LookPath(tool); err == nil {
			assert.NilError(t, os.Symlink(path, filepath.Join(m.bin, tool)))
		}
	}
	m.write(filepath.Join(m.bin, "docker"), docker)
	m.env = []string{"PATH=" + m.bin, "HOME=" + m.home}
	return m
}

func (m *machine) write(path, content string) string {
	m.t.Helper()
	assert.NilError(m.t, os.WriteFile(path, []byte(content), 0o755))
	return path
}

// plugin makes a plugin file outside the home directory.
func (m *machine) plugin(version string) string {
	m.t.Helper()
	return m.write(filepath.Join(m.t.TempDir(), "docker-swarmnet"), strings.ReplaceAll(plugin, "NUMBER", version))
}

func (m *machine) install(args ...string) *icmd.Result {
	m.t.Helper()
	script, err := filepath.Abs("../../install.sh")
	assert.NilError(m.t, err)
	return icmd.RunCmd(icmd.Command("sh", append([]string{script}, args...)...), icmd.WithEnv(m.env...))
}

// files lists the names in a directory of the home directory.
func (m *machine) files(dir string) []string {
	m.t.Helper()
	entries, err := os.ReadDir(filepath.Join(m.home, dir))
	assert.NilError(m.t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func sum(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	assert.NilError(t, err)
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

func TestInstallBinaryWithoutDockerDirectory(t *testing.T) {
	m := newMachine(t)
	file := m.plugin("1.0")

	res := m.install("--binary", file, "--sha256", strings.ToUpper(sum(t, file)))
	res.Assert(t, icmd.Expected{Out: "docker swarmnet 1.0"})
	assert.Check(t, is.Contains(res.Stderr(), `installed "`+m.home+`/.docker/cli-plugins/docker-swarmnet"`))
	assert.Check(t, is.DeepEqual(m.files(".docker/cli-plugins"), []string{"docker-swarmnet"}))

	info, err := os.Stat(filepath.Join(m.home, ".docker/cli-plugins/docker-swarmnet"))
	assert.NilError(t, err)
	assert.Check(t, is.Equal(info.Mode().Perm(), os.FileMode(0o755)))
	info, err = os.Stat(filepath.Join(m.home, ".docker"))
	assert.NilError(t, err)
	assert.Check(t, is.Equal(info.Mode().Perm(), os.FileMode(0o700)), "docker keeps credentials there")
}

func TestInstallHonoursDockerConfig(t *testing.T) {
	m := newMachine(t)
	config := filepath.Join(t.TempDir(), "a b", "docker")
	m.env = append(m.env, "DOCKER_CONFIG="+config)

	m.install("--binary="+m.plugin("1.0")).Assert(t, icmd.Success)
	assert.Check(t, is.Len(m.files(""), 0))
	_, err := os.Stat(filepath.Join(config, "cli-plugins/docker-swarmnet"))
	assert.Check(t, err)
}

func TestInstallReplacesOlderOne(t *testing.T) {
	m := newMachine(t)
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Success)
	m.install("--binary", m.plugin("2.0")).Assert(t, icmd.Expected{Out: "docker swarmnet 2.0"})
	assert.Check(t, is.DeepEqual(m.files(".docker/cli-plugins"), []string{"docker-swarmnet"}))
}

// What was installed before is still there, and nothing else is, when an
// installation fails.
func TestInstallFailureKeepsWhatWasThere(t *testing.T) {
	m := newMachine(t)
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Success)
	before := sum(t, filepath.Join(m.home, ".docker/cli-plugins/docker-swarmnet"))
	foreign := m.write(filepath.Join(t.TempDir(), "foreign"), "\x7fELF of another machine")

	for _, tc := range []struct {
		doc  string
		args []string
		err  string
	}{
		{"another file", []string{"--binary", m.plugin("2.0"), "--sha256", before}, "the SHA-256 sum of"},
		{"no sum", []string{"--binary", m.plugin("2.0"), "--sha256", "abc"}, "not abc"},
		{"not for this machine", []string{"--binary", foreign}, "is no docker CLI plugin that runs on this machine"},
		{"no file", []string{"--binary", "/nowhere/plugin"}, `there is no file "/nowhere/plugin"`},
		{"no Go", nil, `there is no "go" command`},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			m.install(tc.args...).Assert(t, icmd.Expected{ExitCode: 1, Err: tc.err})
			assert.Check(t, is.DeepEqual(m.files(".docker/cli-plugins"), []string{"docker-swarmnet"}))
			assert.Check(t, is.Equal(sum(t, filepath.Join(m.home, ".docker/cli-plugins/docker-swarmnet")), before))
		})
	}
}

func TestInstallTargetIsDirectory(t *testing.T) {
	m := newMachine(t)
	assert.NilError(t, os.MkdirAll(filepath.Join(m.home, ".docker/cli-plugins/docker-swarmnet"), 0o755))
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Expected{ExitCode: 1, Err: "is a directory"})
}

func TestInstallWithoutDocker(t *testing.T) {
	m := newMachine(t)
	assert.NilError(t, os.Remove(filepath.Join(m.bin, "docker")))
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Expected{ExitCode: 1, Err: `there is no "docker" command`})
	assert.Check(t, is.Len(m.files(""), 0))
}

func TestInstallWithoutHome(t *testing.T) {
	m := newMachine(t)
	m.env = []string{"PATH=" + m.bin}
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Expected{ExitCode: 1, Err: "neither HOME nor DOCKER_CONFIG is set"})
}

func TestInstallWithoutEngine(t *testing.T) {
	m := newMachine(t)
	file := m.write(filepath.Join(t.TempDir(), "plugin"), engineless)
	m.install("--binary", file).Assert(t, icmd.Expected{Err: "no docker engine answers yet"})
}

func TestInstallNotFoundByDocker(t *testing.T) {
	m := newMachine(t)
	m.write(filepath.Join(m.bin, "docker"), "#!/bin/sh\nexit 1\n")
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Expected{ExitCode: 1, Err: "docker does not find the plugin"})
}

func TestInstallSystemIntoPackage(t *testing.T) {
	m := newMachine(t)
	root := t.TempDir()
	m.env = append(m.env, "DESTDIR="+root)
	m.install("--system", "--binary", m.plugin("1.0")).Assert(t, icmd.Expected{Out: icmd.None})
	target := filepath.Join(root, "usr/local/lib/docker/cli-plugins/docker-swarmnet")
	_, err := os.Stat(target)
	assert.NilError(t, err)

	m.install("--system", "--uninstall").Assert(t, icmd.Expected{Err: "removed"})
	_, err = os.Stat(target)
	assert.Check(t, os.IsNotExist(err))
}

func TestUninstall(t *testing.T) {
	m := newMachine(t)
	m.install("--uninstall").Assert(t, icmd.Expected{Err: "nothing to remove"})
	m.install("--binary", m.plugin("1.0")).Assert(t, icmd.Success)
	m.install("--uninstall").Assert(t, icmd.Expected{Err: "removed"})
	assert.Check(t, is.Len(m.files(".docker/cli-plugins"), 0))
}

func TestUsage(t *testing.T) {
	m := newMachine(t)
	m.install("--help").Assert(t, icmd.Expected{Out: "Usage:  ./install.sh [OPTIONS]"})
	for _, tc := range []struct {
		args []string
		err  string
	}{
		{[]string{"--bogus"}, `unknown option "--bogus"`},
		{[]string{"here"}, `unexpected argument "here"`},
		{[]string{"--binary"}, "option --binary needs a value"},
		{[]string{"--binary="}, "option --binary needs a value"},
		{[]string{"--sha256", "abc"}, "option --sha256 needs --binary"},
		{[]string{"--uninstall", "--binary", "x"}, "exclude each other"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			m.install(tc.args...).Assert(t, icmd.Expected{ExitCode: 125, Err: tc.err})
		})
	}
	assert.Check(t, is.Len(m.files(""), 0))
}

// The build is the real one, with the caches of whoever runs the test.
func TestInstallFromCheckout(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the plugin")
	}
	m := newMachine(t)
	m.env = append(os.Environ(), "PATH="+m.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "DOCKER_CONFIG="+m.home)
	// An engine need not answer; then the script says so.
	m.install().Assert(t, icmd.Success)
	assert.Check(t, is.DeepEqual(m.files("cli-plugins"), []string{"docker-swarmnet"}))
}
