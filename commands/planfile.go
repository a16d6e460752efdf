package commands

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// planFileMode lets nobody but the owner read a plan: it names what there is.
const planFileMode fs.FileMode = 0o600

// save writes the plan to a file that loadPlan reads, in one piece or not at all.
func (ps *plannedStack) save(path string) error {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return err
	}
	pins, err := ps.pins(salt)
	if err != nil {
		return err
	}
	f := plan.File{
		Format: plan.FileFormat, Stack: ps.plan.Stack, Context: ps.plan.Context, Cluster: ps.observed.Cluster.ID, Salt: salt, Pins: pins,
		Steps: strings.Split(strings.TrimSuffix(ps.plan.String(), "\n"), "\n"),
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".plan-*") // made for the owner alone (0600)
	if err != nil {
		return problem.New("the plan cannot be written: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(append(raw, '\n'))
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), planFileMode)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return problem.New("the plan cannot be written: %w", err)
	}
	return nil
}

func (ps *plannedStack) pins(salt []byte) ([]plan.Pin, error) {
	digests, err := ps.request.Digests(salt)
	if err != nil {
		return nil, err
	}
	return plan.Pinned(ps.plan, ps.desired, ps.observed, digests), nil
}

// matches returns an error that names all that has moved on since the plan in
// the file was made; nil when the stack is planned as it was then.
func (ps *plannedStack) matches(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return problem.New("the plan cannot be read: %w", err).WithCode(problem.Usage)
	}
	var f plan.File
	if err := json.Unmarshal(raw, &f); err != nil || f.Format == 0 {
		return problem.New("%q is not a plan that 'docker swarmnet plan --out' has written", path).WithCode(problem.Usage)
	}
	pins, err := ps.pins(f.Salt)
	if err != nil {
		return err
	}
	moved := f.Moved(ps.plan.Stack, ps.observed.Cluster.ID, pins)
	if len(moved) == 0 {
		return nil
	}
	return problem.Join(fmt.Sprintf("stack %q is no longer as the plan in %q saw it on context %q, and nothing was changed", text.Clean(ps.plan.Stack), path, ps.plan.Context), moved).
		WithNext("Run 'docker swarmnet plan --out' again and look at what it says.")
}
