package dockercli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gotest.tools/v3/assert"
)

func TestFromLinkerFlags(t *testing.T) {
	for _, tc := range []struct{ doc, flags, want string }{
		{"docker's own packages", ` -X "github.com/docker/cli/cli/version.GitCommit=e6534b4" -X "github.com/docker/cli/cli/version.Version=28.2.2" -extldflags -static`, "28.2.2"},
		{"without quotes", "-s -X github.com/docker/cli/cli/version.Version=29.0.0 -w", "29.0.0"},
		{"at the end", "-X github.com/docker/cli/cli/version.Version=29.0.0", "29.0.0"},
		{"not told", "-s -w", ""},
	} {
		t.Run(tc.doc, func(t *testing.T) { assert.Equal(t, fromLinkerFlags(tc.flags), tc.want) })
	}
}

func TestFromVersionLine(t *testing.T) {
	for _, tc := range []struct{ doc, line, want string }{
		{"Debian", "Docker version 20.10.24+dfsg1, build 297e128", "20.10.24+dfsg1"},
		{"without a commit", "Docker version 28.5.2", "28.5.2"},
		{"something else called docker", "podman version 4.3.1", ""},
	} {
		t.Run(tc.doc, func(t *testing.T) { assert.Equal(t, fromVersionLine(tc.line), tc.want) })
	}
}

func TestVersionAsksTheBinary(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script as a binary")
	}
	docker := filepath.Join(t.TempDir(), "docker")
	assert.NilError(t, os.WriteFile(docker, []byte("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Docker version 20.10.24+dfsg1, build 297e128'\n"), 0o755))
	assert.Equal(t, Version(context.Background(), docker), "20.10.24+dfsg1")
	assert.Equal(t, Version(context.Background(), filepath.Join(t.TempDir(), "none")), "")
}

func TestCaller(t *testing.T) {
	assert.Equal(t, Caller(func(string) string { return "" }), "")
	assert.Equal(t, Caller(func(string) string { return "/usr/bin/docker" }), "/usr/bin/docker")
}
