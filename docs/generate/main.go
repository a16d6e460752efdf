// Command generate writes docs/reference, a page for every command, from the
// commands themselves. With -check it writes nothing and fails when a page is
// not current.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/commands"
)

func main() {
	check := flag.Bool("check", false, "write nothing, fail when a page is not current")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: generate [-check] DIRECTORY")
		os.Exit(125)
	}
	if err := run(flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, check bool) error {
	root, err := tree()
	if err != nil {
		return err
	}
	want := pages(root)
	have, err := read(dir)
	if err != nil {
		return err
	}
	if check {
		return compare(want, have)
	}
	return write(dir, want, have)
}

// tree returns the command "docker swarmnet". The parent is there because
// docker is, in the paths of the commands.
func tree() (*cobra.Command, error) {
	dockerCLI, err := command.NewDockerCli()
	if err != nil {
		return nil, err
	}
	root := commands.NewRoot(dockerCLI)
	(&cobra.Command{Use: "docker"}).AddCommand(root)
	return root, nil
}

// read returns the pages of a directory by file name; none when it is not there.
func read(dir string) (map[string][]byte, error) {
	have := map[string][]byte{}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		have[filepath.Base(file)] = content
	}
	return have, nil
}

// write brings a directory to the wanted pages, those of removed commands out.
func write(dir string, want, have map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range want {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	for name := range have {
		if _, ok := want[name]; ok {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// compare returns an error that names every page that is not current.
func compare(want, have map[string][]byte) error {
	var stale []string
	for name, content := range want {
		if !bytes.Equal(content, have[name]) {
			stale = append(stale, name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			stale = append(stale, name)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	sort.Strings(stale)
	return fmt.Errorf("the reference is not current: %q\n\nWrite it anew: make docs", stale)
}
