//go:build e2e

package e2e

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	dockerservice "github.com/docker/cli/cli/command/service"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/versions"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// flagCase is a set of flags that docker and deploy must understand alike.
type flagCase struct {
	flag string // of docker service create; empty for combinations
	args []string
	// image and command; swarmnet/demo when empty
	rest []string
	// running services: without --replicas 0
	mode string
}

func one(flag, value string) flagCase {
	return flagCase{flag: flag, args: []string{"--" + flag, value}}
}

func on(flag string) flagCase { return flagCase{flag: flag, args: []string{"--" + flag}} }

// flagCases has one case at least for each flag, and combinations of them as
// they are in use.
func flagCases(dir string) []flagCase {
	return append([]flagCase{
		one("cap-add", "NET_ADMIN"),
		one("cap-drop", "MKNOD"),
		one("config", "source=settings,target=/etc/settings,mode=0440,uid=5"),
		one("constraint", "node.role==manager"),
		one("container-label", "tier=front"),
		one("credential-spec", "config://settings"),
		on("detach"),
		one("dns", "10.1.2.3"),
		one("dns-option", "ndots:2"),
		one("dns-search", "example.com"),
		one("endpoint-mode", "dnsrr"),
		one("entrypoint", "/swarmnet --verbose"),
		one("env", "TEMPLATE={{.Node.Hostname}}"),
		one("env-file", filepath.Join(dir, "env")),
		one("generic-resource", "ssd=1"),
		one("group", "1001"),
		one("health-cmd", "true"),
		{flag: "health-interval", args: []string{"--health-cmd", "true", "--health-interval", "7s"}},
		{flag: "health-retries", args: []string{"--health-cmd", "true", "--health-retries", "4"}},
		{flag: "health-start-interval", args: []string{"--health-cmd", "true", "--health-start-interval", "1s"}},
		{flag: "health-start-period", args: []string{"--health-cmd", "true", "--health-start-period", "9s"}},
		{flag: "health-timeout", args: []string{"--health-cmd", "true", "--health-timeout", "3s"}},
		one("host", "db:10.1.1.1"),
		one("hostname", "h-{{.Task.Slot}}"),
		on("init"),
		one("isolation", "default"),
		one("label", "owner=ops"),
		one("limit-cpu", "0.5"),
		one("limit-memory", "64m"),
		one("limit-pids", "100"),
		one("log-driver", "json-file"),
		{flag: "log-opt", args: []string{"--log-driver", "json-file", "--log-opt", "max-size=1m"}},
		{flag: "max-concurrent", args: []string{"--max-concurrent", "2", "--replicas", "0"}, mode: "replicated-job"},
		{flag: "mode", mode: "global"},
		one("mount", "type=volume,source=data-{{.Task.Slot}},target=/data,volume-label=a=b"),
		on("no-healthcheck"),
		one("oom-score-adj", "100"),
		one("placement-pref", "spread=node.labels.rack"),
		one("publish", "published=8081,target=80,protocol=udp,mode=host"),
		on("quiet"),
		on("read-only"),
		one("replicas-max-per-node", "2"),
		one("reserve-cpu", "0.1"),
		one("reserve-memory", "16m"),
		one("restart-condition", "on-failure"),
		one("restart-delay", "2s"),
		one("restart-max-attempts", "3"),
		one("restart-window", "1m"),
		one("rollback-delay", "1s"),
		one("rollback-failure-action", "continue"),
		one("rollback-max-failure-ratio", "0.25"),
		one("rollback-monitor", "4s"),
		one("rollback-order", "start-first"),
		one("rollback-parallelism", "2"),
		one("secret", "source=password,target=pw,mode=0400"),
		one("stop-grace-period", "3s"),
		one("stop-signal", "SIGUSR1"),
		one("sysctl", "net.ipv4.ip_unprivileged_port_start=0"),
		on("tty"),
		one("ulimit", "nofile=100:200"),
		one("update-delay", "1s"),
		one("update-failure-action", "rollback"),
		one("update-max-failure-ratio", "0.5"),
		one("update-monitor", "8s"),
		one("update-order", "start-first"),
		one("update-parallelism", "3"),
		one("user", "1000:1000"),
		on("with-registry-auth"),
		one("workdir", "/tmp"),
	}, combinations()...)
}

func combinations() []flagCase {
	return []flagCase{
		{args: []string{"--network", "name=other,alias=cache,alias=kv"}},
		{args: []string{"--network", "other", "-p", "8082:80", "-p", "8083:81/udp", "-e", "A=1", "-e", "A=2", "-e", "B"}},
		{args: []string{"--replicas", "0", "--mount", "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700", "--mount", "type=bind,source=/tmp,target=/host,readonly"}},
		{mode: "replicated-job", args: []string{"--replicas", "0", "--restart-condition", "none"}},
		// Ends at once: engines let the tasks of a removed job run on.
		{mode: "global-job", args: []string{"--constraint", "node.role==worker", "--restart-condition", "none"}, rest: []string{"swarmnet/demo", "--bogus"}},
		{args: []string{"--label", "b=2", "--label", "a=1", "--label", "c"}, rest: []string{"swarmnet/demo", "--listen", ":8080", "a b", ""}},
		{args: []string{"--secret", "password", "--config", "settings", "--limit-memory", "1g", "--reserve-memory", "32m", "--limit-cpu", "1.5"}},
		{args: []string{"--endpoint-mode", "dnsrr", "--publish", "mode=host,target=80,published=8084", "--hostname", "{{.Service.Name}}"}},
		{args: []string{"--update-order", "start-first", "--update-failure-action", "rollback", "--rollback-order", "start-first", "--update-delay", "1m30s"}},
	}
}

// untold are the flags that every case has.
func untold() []string {
	return []string{"name", "network", "replicas", "no-resolve-image", "help"}
}

func TestDeployCreatesWhatDockerCreates(t *testing.T) {
	s := usual(t)
	s.Load(t, "swarmnet/demo")
	dir := t.TempDir()
	for file, text := range map[string]string{"env": "# settings\nFROM_FILE=1\nEMPTY=\n", "settings": "x", "password": "y"} {
		assert.NilError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	for _, n := range []string{"docknet", "other"} {
		s.Swarmnet("create", n).Assert(t, icmd.Success)
	}
	s.Docker("config", "create", "settings", filepath.Join(dir, "settings")).Assert(t, icmd.Success)
	s.Docker("secret", "create", "password", filepath.Join(dir, "password")).Assert(t, icmd.Success)
	t.Cleanup(func() {
		s.Docker("config", "rm", "settings")
		s.Docker("secret", "rm", "password")
	})
	info, err := s.API.ServerVersion(context.Background())
	assert.NilError(t, err)

	cases := flagCases(dir)
	flags := dockersFlags(t)
	flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(untold(), f.Name) && !slices.ContainsFunc(cases, func(c flagCase) bool { return c.flag == f.Name }) {
			t.Errorf("docker service create has --%s, and there is no case for it", f.Name)
		}
	})
	for _, c := range cases {
		t.Run(strings.Join(append([]string{c.mode}, c.args...), " "), func(t *testing.T) {
			if f := flags.Lookup(c.flag); f != nil && !engineKnows(f, info.APIVersion) {
				refusedAlike(t, s, c)
				return
			}
			createdAlike(t, s, c)
		})
	}
}

// dockersFlags are those of docker/cli, as the module has it.
func dockersFlags(t *testing.T) *pflag.FlagSet {
	t.Helper()
	dockerCLI, err := command.NewDockerCli(command.WithCombinedStreams(io.Discard))
	assert.NilError(t, err)
	cmd, _, err := dockerservice.NewServiceCommand(dockerCLI).Find([]string{"create"}) //nolint:staticcheck // the one way to its flags (docs/adr/0001)
	assert.NilError(t, err)
	return cmd.Flags()
}

func engineKnows(f *pflag.Flag, api string) bool {
	if v := f.Annotations["version"]; len(v) > 0 && versions.LessThan(api, v[0]) {
		return false
	}
	return len(f.Annotations["ostype"]) == 0 || f.Annotations["ostype"][0] == "linux"
}

// words are the arguments of both commands. Nothing runs where the mode lets
// that be, for the specs are what counts.
func (c flagCase) words(first ...string) []string {
	words := append(first, "--name", "subject", "--no-resolve-image", "--network", "docknet")
	if c.flag != "detach" {
		words = append(words, "--detach")
	}
	switch {
	case c.mode != "":
		words = append(words, "--mode", c.mode)
	case !slices.Contains(c.args, "--replicas"):
		words = append(words, "--replicas", "0")
	}
	words = append(words, c.args...)
	if len(c.rest) == 0 {
		return append(words, "swarmnet/demo")
	}
	return append(words, c.rest...)
}

func createdAlike(t *testing.T, s *harness.Swarm, c flagCase) {
	t.Helper()
	remove := func() { s.Docker("service", "rm", "subject").Assert(t, icmd.Success) }
	s.Docker(c.words("service", "create")...).Assert(t, icmd.Success)
	dockers := s.Service(t, "subject")
	unchanged := func(by string, before *swarm.Service) {
		r := s.Swarmnet(c.words("deploy")...)
		r.Assert(t, icmd.Success)
		assert.Check(t, is.Equal(strings.TrimSpace(r.Stdout()), before.ID))
		assert.Check(t, is.Equal(s.Service(t, "subject").Spec.TaskTemplate.ForceUpdate, before.Spec.TaskTemplate.ForceUpdate))
		assert.Check(t, is.DeepEqual(s.Service(t, "subject").Spec, before.Spec))
		assert.Check(t, s.Service(t, "subject").PreviousSpec == nil, "the service that %s made was updated: %s", by, r.Stderr())
	}
	unchanged("docker", dockers)
	remove()
	s.Swarmnet(c.words("deploy")...).Assert(t, icmd.Success)
	ours := s.Service(t, "subject")
	assert.Check(t, is.DeepEqual(ours.Spec, dockers.Spec, cmpopts.EquateEmpty()))
	unchanged("deploy", ours)
	remove()
}

// refusedAlike is for flags that the engine is too old for.
func refusedAlike(t *testing.T, s *harness.Swarm, c flagCase) {
	t.Helper()
	theirs := s.Docker(c.words("service", "create")...)
	ours := s.Swarmnet(c.words("deploy")...)
	assert.Check(t, theirs.ExitCode != 0 && ours.ExitCode != 0, "docker: %s\ndeploy: %s", theirs, ours)
	assert.Check(t, is.Contains(ours.Stderr(), strings.TrimSpace(theirs.Stderr())))
	assert.Check(t, s.Service(t, "subject") == nil)
}
