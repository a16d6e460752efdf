//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
	"github.com/swarmnet/docker-swarmnet/e2e/pages"
	"github.com/swarmnet/docker-swarmnet/internal/core/runbook"
)

// pageLimit bounds one page, so that one that hangs does not take the rest
// with it.
const pageLimit = 10 * time.Minute

// lanes is how many pages run at the same time, each on a swarm of its own. More
// than one gains little on two cores, and pages that wait for a swarm to see a
// node or a task fail take longer than they say.
const lanes = 1

// TestPages does what README and runbooks show, each page on a clean swarm of
// three nodes n1, n2, n3, whose context is "prod", with the image
// swarmnet/demo on all of them. E2E_PAGES=jobs leaves the findings' pages out.
func TestPages(t *testing.T) {
	files, err := pages.Files(lab.Root)
	assert.NilError(t, err)
	free := make(chan *harness.Lab, lanes)
	for i := range lanes {
		lane, err := lab.Apart(fmt.Sprintf("pages-%d", i+1))
		assert.NilError(t, err)
		free <- lane
	}
	bin := t.TempDir()
	assert.NilError(t, os.Symlink(lab.DockerBinary(), filepath.Join(bin, "docker")))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			markdown, err := os.ReadFile(file)
			assert.NilError(t, err)
			page, err := pages.Parse(string(markdown))
			assert.NilError(t, err)
			if code := runbook.Parse(filepath.Base(file), string(markdown)).Code; code != "" && os.Getenv("E2E_PAGES") == "jobs" {
				t.Skip("the page of finding " + code + ": E2E_PAGES=jobs asks for those of jobs alone")
			}
			t.Parallel()
			lane := <-free
			t.Cleanup(func() { free <- lane })
			prod := lane.Fresh(t, harness.Spec{Name: "prod", Short: true}, func(s *harness.Swarm) {
				s.Swarmnet("sandbox", "load", "swarmnet/demo", s.Name).Assert(t, icmd.Success)
			})
			runPage(t, file, page, append(lane.Environ(prod.Context), "PATH="+bin+":"+os.Getenv("PATH"), "CHECKOUT="+lab.Root))
		})
	}
}

func runPage(t *testing.T, file string, page *pages.Page, env []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), pageLimit)
	defer cancel()
	begin := time.Now()
	err := pages.Run(ctx, page, t.TempDir(), env, func(r pages.Result) {
		prompt := "$ "
		if r.Hidden {
			prompt = "(hidden) $ "
		}
		t.Logf("%s:%d after %v\n%s%s\n%s", filepath.Base(file), r.Line, time.Since(begin).Round(100*time.Millisecond), prompt, r.Script, r.Output)
	})
	assert.NilError(t, err, "%s", file)
}
