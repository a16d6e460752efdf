package pages

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stepLimit is how long one command may take; a page waits for swarms.
const stepLimit = 5 * time.Minute

// A Result is a step that was run.
type Result struct {
	Step
	// Output is stdout and stderr, as they came.
	Output string
	// Code is the exit code.
	Code int
	// Err says why it is not what the page promises; nil when it is.
	Err error
}

// Run runs the steps of a page one after the other in one bash, in the folder
// dir and with the environment env, and tells each result. It stops after the
// first that is not what the page promises, and returns its error.
func Run(ctx context.Context, p *Page, dir string, env []string, tell func(Result)) error {
	sh, err := open(ctx, dir, env)
	if err != nil {
		return err
	}
	defer sh.close()
	for _, step := range p.Steps {
		r := Result{Step: step}
		r.Output, r.Code, r.Err = sh.run(step)
		if r.Err == nil {
			r.Err = r.judge()
		}
		if r.Err != nil {
			r.Err = fmt.Errorf("line %d: %w", step.Line, r.Err)
		}
		tell(r)
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// judge holds a result against what the page promises.
func (r Result) judge() error {
	if r.Code != r.ExitCode {
		return fmt.Errorf("exit code %d, not %d", r.Code, r.ExitCode)
	}
	if len(r.Want) == 0 {
		return nil
	}
	return Match(r.Want, r.Output)
}

// shell is a bash that runs one script after the other.
type shell struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	ended  chan struct{} // closed when bash has ended
	script string        // the file that a step is written to
	mark   string        // what no command prints
}

func open(ctx context.Context, dir string, env []string) (*shell, error) {
	file, err := os.CreateTemp("", "page-*.sh")
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	var mark [8]byte
	_, _ = rand.Read(mark[:]) // never fails on Linux
	sh := &shell{script: file.Name(), mark: "end-" + hex.EncodeToString(mark[:])}
	sh.cmd = exec.CommandContext(ctx, "bash", "--noprofile", "--norc")
	sh.cmd.Dir, sh.cmd.Env = dir, env
	// What the page starts ends with it.
	sh.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	sh.cmd.Cancel = sh.kill
	if sh.in, err = sh.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	sh.cmd.Stdout, sh.cmd.Stderr = write, write
	sh.out, sh.ended = bufio.NewReader(read), make(chan struct{})
	if err := sh.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = sh.cmd.Wait()
		// What the page left in the background may hold the pipe open.
		_ = read.SetReadDeadline(time.Now().Add(time.Second))
		close(sh.ended)
	}()
	return sh, nil
}

func (sh *shell) kill() error { return syscall.Kill(-sh.cmd.Process.Pid, syscall.SIGKILL) }

func (sh *shell) close() {
	_ = sh.in.Close()
	_ = sh.kill()
	<-sh.ended
	_ = os.Remove(sh.script)
}

// run runs one step and returns its output and exit code.
func (sh *shell) run(step Step) (output string, code int, err error) {
	if err := os.WriteFile(sh.script, []byte(step.Script+"\n"), 0o600); err != nil {
		return "", 0, err
	}
	source := fmt.Sprintf("source %q </dev/null", filepath.ToSlash(sh.script))
	if step.Hidden {
		// The first command that fails ends the shell, having said which it is.
		source = "set -eE; trap 'echo \"failed: $BASH_COMMAND\"' ERR\n" + source + "\nset +eE; trap - ERR; true"
	}
	if _, err := fmt.Fprintf(sh.in, "%s\nprintf '\\n%s %%d\\n' $?\n", source, sh.mark); err != nil {
		return "", 0, err
	}
	timer := time.AfterFunc(stepLimit, func() { _ = sh.kill() })
	defer timer.Stop()
	var out strings.Builder
	for {
		line, err := sh.out.ReadString('\n')
		if word, found := strings.CutPrefix(line, sh.mark+" "); found {
			code, err := strconv.Atoi(strings.TrimSpace(word))
			return strings.TrimSuffix(out.String(), "\n"), code, err
		}
		out.WriteString(line)
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return out.String(), 0, fmt.Errorf("the shell ended: a hidden command that failed, exit, or more than %v", stepLimit)
		}
		if err != nil {
			return out.String(), 0, err
		}
	}
}
