package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/stack"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// recordingSwarm answers docker's API as an empty swarm does, with what the
// stacks call external, and keeps the body of every creation.
type recordingSwarm struct {
	mu   sync.Mutex
	made map[string]string // "services/st_web" → body
}

func (s *recordingSwarm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := regexp.MustCompile(`^/v[0-9.]+`).ReplaceAllString(r.URL.Path, "")
	w.Header().Set("Api-Version", "1.51")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	kind, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/_ping":
	case path == "/info":
		answer(map[string]any{"Swarm": map[string]any{"LocalNodeState": "active", "ControlAvailable": true, "Cluster": map[string]any{"ID": "c"}}})
	case r.Method == http.MethodPost && rest == "create":
		body, _ := io.ReadAll(r.Body)
		var named struct{ Name string }
		_ = json.Unmarshal(body, &named)
		s.made[kind+"/"+named.Name] = string(body)
		w.WriteHeader(http.StatusCreated)
		answer(map[string]string{"Id": "id-" + named.Name, "ID": "id-" + named.Name})
	case kind == "networks" && rest != "":
		if rest != "host" && rest != "st-outer" && rest != "st-outer-2" {
			w.WriteHeader(http.StatusNotFound)
			answer(map[string]string{"message": "network " + rest + " not found"})
			return
		}
		answer(map[string]string{"Id": rest, "Name": rest, "Scope": "swarm", "Driver": "overlay"})
	case rest != "": // a secret or a config that is to be created
		w.WriteHeader(http.StatusNotFound)
		answer(map[string]string{"message": rest + " not found"})
	case kind == "networks":
		answer([]map[string]string{{"Id": "st-outer", "Name": "st-outer", "Scope": "swarm", "Driver": "overlay"}, {"Id": "st-outer-2", "Name": "st-outer-2", "Scope": "swarm", "Driver": "overlay"}})
	case kind == "secrets" || kind == "configs":
		var list []map[string]any
		for _, name := range []string{"st-outer-secret", "st-outer-config", "my_secret", "my_config"} {
			if strings.Contains(name, strings.TrimSuffix(kind, "s")) {
				list = append(list, map[string]any{"ID": "id-" + name, "Spec": map[string]string{"Name": name}})
			}
		}
		for k := range s.made {
			if name, ok := strings.CutPrefix(k, kind+"/"); ok {
				list = append(list, map[string]any{"ID": "id-" + name, "Spec": map[string]string{"Name": name}})
			}
		}
		answer(list)
	default:
		answer([]string{})
	}
}

func newRecordingSwarm(t *testing.T) (*recordingSwarm, client.APIClient) {
	s := &recordingSwarm{made: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion("1.51"))
	assert.NilError(t, err)
	return s, api
}

// files are the Compose files of one stack: NAME.yaml, NAME.override.yaml.
func stackFiles(t *testing.T) map[string][]string {
	all, err := filepath.Glob("../../e2e/stacks/*.yaml")
	assert.NilError(t, err)
	out := map[string][]string{}
	for _, f := range all {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".yaml"), ".override")
		out[name] = append(out[name], f)
		sort.Slice(out[name], func(i, j int) bool { return len(out[name][i]) < len(out[name][j]) })
	}
	return out
}

// cliModule is where docker/cli's sources are, which hold examples and schemas.
func cliModule(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/docker/cli").Output() //nolint:noctx // ends at once
	assert.NilError(t, err)
	return strings.TrimSpace(string(out))
}

// fullExample is docker/cli's example of every key, with what it names and does
// not have, and without the config and the secret that have no content, at
// which docker stops.
func fullExample(t *testing.T) string {
	loader := filepath.Join(cliModule(t), "cli", "compose", "loader")
	raw, err := os.ReadFile(filepath.Join(loader, "full-example.yml"))
	assert.NilError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"example1.env", "example2.env"} {
		env, err := os.ReadFile(filepath.Join(loader, name))
		assert.NilError(t, err)
		assert.NilError(t, os.WriteFile(filepath.Join(dir, name), env, 0o600))
	}
	for _, name := range []string{"config_data", "secret_data"} {
		assert.NilError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	path := filepath.Join(dir, "full-example.yml")
	raw = regexp.MustCompile(`(?m)^  (config|secret)4:\n(    .*\n)+`).ReplaceAll(raw, nil)
	for key, missing := range map[string]string{ // used in the example, and not there
		"volumes": "datavolume:", "networks": "other-other-network:", "services": "db: {image: db}\n  redis: {image: redis}",
	} {
		raw = regexp.MustCompile(`(?m)^`+key+`:$`).ReplaceAll(raw, []byte(key+":\n  "+missing))
	}
	assert.NilError(t, os.WriteFile(path, raw, 0o600))
	return path
}

func dockerDeploys(t *testing.T, files []string) (made map[string]string, stderr string, err error) {
	s, api := newRecordingSwarm(t)
	var errs bytes.Buffer
	dockerCLI, err := command.NewDockerCli(command.WithAPIClient(api), command.WithOutputStream(io.Discard), command.WithErrorStream(&errs))
	assert.NilError(t, err)
	assert.NilError(t, dockerCLI.Initialize(flags.NewClientOptions()))
	cmd := stack.NewStackCommand(dockerCLI) //nolint:staticcheck // what is compared with
	args := []string{"deploy", "--detach=true", "--resolve-image", "never"}
	for _, f := range files {
		args = append(args, "-c", f)
	}
	cmd.SetArgs(append(args, "st"))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	return s.made, errs.String(), err
}

func weDeploy(t *testing.T, files []string) (made map[string]string, warnings string, err error) {
	ctx := context.Background()
	s, api := newRecordingSwarm(t)
	st, err := stackfile.Load(stackfile.Options{Files: files, Stack: "st", Environ: os.Environ()})
	if err != nil {
		return nil, "", err
	}
	e := New("test", api)
	r := NewStackRequest(st)
	o, err := e.LookStack(ctx, r, false)
	assert.NilError(t, err)
	_, err = r.Prepare(ctx, e, o, ResolveNever, nil)
	assert.NilError(t, err)
	d, err := r.Desired(o, false)
	assert.NilError(t, err)
	for _, step := range plan.Reconcile(d, o).Steps {
		assert.Equal(t, step.Action, plan.Create, step.String())
		_, _, err := e.CreateResource(ctx, r, step.Resource)
		assert.NilError(t, err)
	}
	return s.made, strings.Join(st.Warnings, ""), nil
}

// asSent brings a body to a form that can be compared. Networks of a service
// go by name with docker and by ID with us: the swarm writes IDs for both. Lists
// that docker leaves in a random order are sorted.
func asSent(t *testing.T, body string) any {
	body = strings.ReplaceAll(body, `"Target":"id-st`, `"Target":"st`)
	var v map[string]any
	assert.NilError(t, json.Unmarshal([]byte(body), &v))
	if tmpl, ok := v["TaskTemplate"].(map[string]any); ok {
		c := tmpl["ContainerSpec"].(map[string]any)
		for _, refs := range []string{"Secrets", "Configs"} {
			list, _ := c[refs].([]any)
			sort.SliceStable(list, func(i, j int) bool {
				a, _ := json.Marshal(list[i])
				b, _ := json.Marshal(list[j])
				return string(a) < string(b)
			})
		}
	}
	return v
}

// Every stack of e2e/stacks, and docker/cli's own full example, makes the very
// objects that docker stack deploy makes, with the same warnings.
func TestStacksAreSentAsDockerSendsThem(t *testing.T) {
	stacks := stackFiles(t)
	assert.Assert(t, len(stacks) >= 40, "%d stacks", len(stacks))
	stacks["docker/cli's full example"] = []string{fullExample(t)}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("FROM_SHELL", "from the shell")
	t.Setenv("HOME", "/home/somebody")
	for name, files := range stacks {
		t.Run(name, func(t *testing.T) {
			want, wantErrs, err := dockerDeploys(t, files)
			assert.NilError(t, err)
			have, haveErrs, err := weDeploy(t, files)
			assert.NilError(t, err)
			assert.Assert(t, len(want) > 0)
			assert.Check(t, is.Equal(haveErrs, wantErrs))
			for object, body := range want {
				assert.Check(t, is.DeepEqual(asSent(t, have[object]), asSent(t, body)), object)
			}
			assert.Check(t, is.Len(have, len(want)))
		})
	}
}

// Every key of the newest schema stands in one of the stacks, so that none is
// left out of the comparison.
func TestStacksHaveEveryKeyOfTheSchema(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(cliModule(t), "cli", "compose", "schema", "data", "config_schema_v3.13.json"))
	assert.NilError(t, err)
	var schema any
	assert.NilError(t, json.Unmarshal(raw, &schema))
	keys := map[string]bool{}
	var collect func(v any)
	collect = func(v any) {
		m, ok := v.(map[string]any)
		if !ok {
			if list, ok := v.([]any); ok {
				for _, e := range list {
					collect(e)
				}
			}
			return
		}
		if props, ok := m["properties"].(map[string]any); ok {
			for k := range props {
				keys[k] = true
			}
		}
		for _, e := range m {
			collect(e)
		}
	}
	collect(schema)
	var all strings.Builder
	for _, files := range stackFiles(t) {
		for _, f := range files {
			text, err := os.ReadFile(f)
			assert.NilError(t, err)
			all.Write(text)
		}
	}
	assert.Assert(t, len(keys) > 100, "%d keys", len(keys))
	for k := range keys {
		assert.Check(t, regexp.MustCompile(`\b`+regexp.QuoteMeta(k)+`:`).MatchString(all.String()), k)
	}
}
