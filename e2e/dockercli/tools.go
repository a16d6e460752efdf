//go:build tools

// Package dockercli pins the Docker CLI that the scenarios run the plugin
// with. It is a module of its own, so that the plugin's go.mod does not carry
// what only the CLI's commands need.
package dockercli

import _ "github.com/docker/cli/cmd/docker"
