package stackfile

import (
	"encoding/json"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/env"
	"gotest.tools/v3/fs"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const small = "services:\n  web: {image: 'app:${TAG:-none}'}\n"

func load(t *testing.T, o Options) *Stack {
	t.Helper()
	st, err := Load(o)
	assert.NilError(t, err)
	return st
}

func image(st *Stack) string { return st.Services[0].Spec.TaskTemplate.ContainerSpec.Image }

func TestLoadNamesTheStack(t *testing.T) {
	for _, tc := range []struct{ doc, dir, file, stack, want string }{
		{"said", "dir", "name: inside\n" + small, "said", "said"},
		{"in the file", "dir", "name: inside\n" + small, "", "inside"},
		{"in the file, with a variable", "dir", "name: in-${PLACE}\n" + small, "", "in-side"},
		{"the directory", "My.Shop_2", small, "", "myshop_2"},
		{"the directory without a leading dash", "-_x", small, "", "x"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			dir := fs.NewDir(t, "stack", fs.WithDir(tc.dir, fs.WithFile("compose.yaml", tc.file)))
			st := load(t, Options{Files: []string{dir.Join(tc.dir, "compose.yaml")}, Stack: tc.stack, Environ: []string{"PLACE=side"}})
			assert.Equal(t, st.Name, tc.want)
			assert.Equal(t, st.Services[0].Spec.Name, tc.want+"_web")
		})
	}
}

func TestLoadReadsDotenvBesideTheFirstFile(t *testing.T) {
	dir := fs.NewDir(t, "stack", fs.WithFile("compose.yaml", small), fs.WithFile(".env", "TAG=dotenv\n"))
	file := []string{dir.Join("compose.yaml")}
	assert.Equal(t, image(load(t, Options{Files: file, Stack: "s"})), "app:dotenv")
	assert.Equal(t, image(load(t, Options{Files: file, Stack: "s", NoDotenv: true})), "app:none")
	assert.Equal(t, image(load(t, Options{Files: file, Stack: "s", Environ: []string{"TAG=shell"}})), "app:shell", "the environment goes first")
}

func TestLoadReadsStandardInput(t *testing.T) {
	dir := fs.NewDir(t, "stack", fs.WithFile(".env", "TAG=here"))
	defer env.ChangeWorkingDir(t, dir.Path())()
	st := load(t, Options{Files: []string{"-"}, Stdin: strings.NewReader(small), Stack: "s"})
	assert.Equal(t, image(st), "app:here")
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct{ doc, file, want string }{
		{"no mapping", "- a\n", "top-level object must be a mapping"},
		{"unknown key", "services: {web: {image: a, imagee: b}}\n", "Additional property imagee is not allowed"},
		{"unknown version", "version: '2'\nservices: {}\n", "unsupported Compose file version"},
		{"forbidden key", "services: {web: {image: a, mem_limit: 1}}\n", "Compose file contains unsupported options:\n\nmem_limit: Set resource limits using deploy.resources"},
		{"no image", "services: {web: {build: .}}\n", "invalid image reference for service web: no image specified"},
		{"bad image", "services: {web: {image: 'A B'}}\n", "invalid image reference for service web"},
		{"unknown network", "services: {web: {image: a, networks: [x]}}\n", `undefined network "x"`},
		{"unknown secret", "services: {web: {image: a, secrets: [x]}}\n", `undefined secret "x"`},
		{"secret's file", "services: {web: {image: a}}\nsecrets: {x: {file: nope}}\n", "no such file"},
		{"required variable", "services: {web: {image: '${IT:?is needed}'}}\n", "is needed"},
		{"name that is none", "name: [1]\nservices: {}\n", "name must be a string"},
		{"replicas of a global service", "services: {web: {image: a, deploy: {mode: global, replicas: 2}}}\n", "replicas can only be used with"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			_, err := Load(Options{Files: []string{"-"}, Stdin: strings.NewReader(tc.file), Stack: "s", NoDotenv: true})
			assert.Assert(t, is.ErrorContains(err, tc.want))
			p, ok := err.(*problem.Error) //nolint:errorlint // what a command gets
			assert.Check(t, ok && p.Code == problem.Usage)
		})
	}
}

func TestLoadWarnsAsDocker(t *testing.T) {
	st := load(t, Options{Files: []string{"-"}, Stdin: strings.NewReader("services: {web: {image: a, privileged: true, build: ., expose: ['1'], container_name: x}}\n"), Stack: "s"})
	assert.DeepEqual(t, st.Warnings, []string{
		"Ignoring unsupported options: build, privileged\n\n",
		"Ignoring deprecated options:\n\ncontainer_name: Setting the container name is not supported.\n\nexpose: Exposing ports is unnecessary - services on the same network can access each other's containers on any port.\n\n",
	})
}

func TestLoadLeavesShortAliasesOffSharedNetworks(t *testing.T) {
	const file = `services:
  web: {image: a, networks: {own: , shared: {aliases: [www]}, asked: {aliases: [web]}, plain: }}
networks: {own: , shared: {external: true}, asked: {external: true}, plain: {external: true}}
`
	aliases := func(off bool) map[string][]string {
		st := load(t, Options{Files: []string{"-"}, Stdin: strings.NewReader(file), Stack: "s", NoShortAliases: off})
		out := map[string][]string{}
		for _, n := range st.Services[0].Spec.TaskTemplate.Networks {
			out[n.Target] = append([]string{}, n.Aliases...)
		}
		return out
	}
	assert.DeepEqual(t, aliases(false), map[string][]string{"s_own": {"web"}, "shared": {"www", "web"}, "asked": {"web", "web"}, "plain": {"web"}})
	assert.DeepEqual(t, aliases(true), map[string][]string{"s_own": {"web"}, "shared": {"www"}, "asked": {"web"}, "plain": {}})
}

func TestLoadWarnsOfADependencyThatIsNotThere(t *testing.T) {
	st := load(t, Options{Files: []string{"-"}, Stdin: strings.NewReader("services: {web: {image: a, depends_on: [x]}}\n"), Stack: "s"})
	assert.DeepEqual(t, st.Warnings, []string{"Ignoring depends_on of service web: the file has no service \"x\"\n\n"})
	assert.Check(t, is.Len(st.Services[0].DependsOn, 0))
}

// Two readings of one file are the same to the byte, however the conversion
// walks its maps: a digest of them is compared.
func TestLoadIsStable(t *testing.T) {
	const file = `services:
  web: {image: a, environment: {B: 1, A: 2, C: 3}, secrets: [{source: s, target: a}, {source: s, target: b}, {source: s, target: c}], ulimits: {nofile: 1, nproc: 2, core: 3}, networks: [x, y, z]}
networks: {x: , y: , z: }
secrets: {s: {external: true}}
`
	first := ""
	for range 50 {
		raw, err := json.Marshal(load(t, Options{Files: []string{"-"}, Stdin: strings.NewReader(file), Stack: "s"}))
		assert.NilError(t, err)
		if first == "" {
			first = string(raw)
		}
		assert.Equal(t, string(raw), first)
	}
}

func TestParseDotenv(t *testing.T) {
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"SHELL_VAR": "shell", "A": "from shell"}[name]
		return v, ok
	}
	for _, tc := range []struct{ doc, in, want string }{
		{"plain", "A=1\nB = 2 \n", `{"A":"1","B":"2"}`},
		{"comments and empty lines", "\n# no\n  # neither\nA=1 # said\nB=1#not\nC=#all\n", `{"A":"1","B":"1#not","C":""}`},
		{"export", "export A=1\n", `{"A":"1"}`},
		{"single quotes are word for word", `A='$SHELL_VAR \n # x'`, `{"A":"$SHELL_VAR \\n # x"}`},
		{"double quotes", `A="a\nb \"c\" \$x ${SHELL_VAR} # d" # e`, `{"A":"a\nb \"c\" $x shell # d"}`},
		{"several lines", "A='one\ntwo'\nB=\"x\ny\"\n", `{"A":"one\ntwo","B":"x\ny"}`},
		{"variables", "X=1\nY=${X}2\nZ=$SHELL_VAR\nW=${NONE:-d}\nV=$A\n", `{"V":"from shell","W":"d","X":"1","Y":"12","Z":"shell"}`},
		{"windows", "\uFEFFA=1\r\nB='2'\r\n", `{"A":"1","B":"2"}`},
		{"key alone", "A\n", `{}`},
		{"empty", "A=\n", `{"A":""}`},
		{"equals signs", "A=b=c==\n", `{"A":"b=c=="}`},
		{"no key", "=1\n", "error: line 1 is not KEY=VALUE"},
		{"bad key", "ok=1\na b=1\n", "error: line 2 is not KEY=VALUE"},
		{"open quote", "A=1\nB='secret\nmore\n", "error: line 2 has a quote without an end"},
		{"after the quote", "A='x'secret\n", "error: line 1 goes on after its quote"},
		{"bad variable", "A=${secret\n", "error: line 1 has a variable that is not one"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got, err := parseDotenv(tc.in, lookup)
			if err != nil {
				assert.Check(t, !strings.Contains(err.Error(), "secret"))
				assert.Equal(t, "error: "+err.Error(), tc.want)
				return
			}
			raw, err := json.Marshal(got)
			assert.NilError(t, err)
			assert.Equal(t, string(raw), tc.want)
		})
	}
}
