// Package dockercli finds out the version of the docker CLI that called the
// plugin. Docker passes a plugin the path of its own binary, but not its
// version.
package dockercli

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"github.com/docker/cli/cli-plugins/metadata"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Caller returns the binary of the docker CLI that called the plugin as docker
// was called, which may be a bare "docker"; "" when the plugin runs on its own.
// getenv reads an environment variable.
func Caller(getenv func(string) string) string { return getenv(metadata.ReexecEnvvar) }

// askTime is how long a docker CLI may take to tell its version.
const askTime = 2 * time.Second

// Version returns the version of a docker CLI, "" where it cannot be had.
// Docker's own builds carry it in their build information, which costs a
// fraction of a millisecond to read; other builds (Debian's, for one) are
// asked with "docker --version", which costs a process.
func Version(ctx context.Context, binary string) string {
	path, err := exec.LookPath(binary)
	if err != nil {
		return ""
	}
	if info, err := buildinfo.ReadFile(path); err == nil {
		for _, s := range info.Settings {
			if s.Key == "-ldflags" {
				if v := fromLinkerFlags(s.Value); v != "" {
					return v
				}
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = askTime
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return fromVersionLine(string(bytes.TrimSpace(out)))
}

// fromLinkerFlags finds the version in `-X "github.com/docker/cli/cli/version.Version=28.2.2" …`.
func fromLinkerFlags(flags string) string {
	_, rest, found := strings.Cut(flags, "github.com/docker/cli/cli/version.Version=")
	if !found {
		return ""
	}
	if end := strings.IndexAny(rest, `"' `); end >= 0 {
		rest = rest[:end]
	}
	return text.Clean(rest)
}

// fromVersionLine finds the version in "Docker version 20.10.24+dfsg1, build 297e128".
func fromVersionLine(line string) string {
	rest, found := strings.CutPrefix(line, "Docker version ")
	if !found {
		return ""
	}
	v, _, _ := strings.Cut(rest, ",")
	return text.Clean(strings.TrimSpace(v))
}

// Library returns the version of docker/cli that the plugin is built on: it
// reads contexts, stack files and flags as that version does.
func Library() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/docker/cli" {
			return strings.TrimPrefix(strings.TrimSuffix(m.Version, "+incompatible"), "v")
		}
	}
	return ""
}
