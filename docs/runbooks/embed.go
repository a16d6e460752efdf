// Package runbooks holds the runbooks of this folder, so that the plugin can
// show them without a network.
package runbooks

import "embed"

// Files are the pages, and the index README.md.
//
//go:embed *.md
var Files embed.FS
