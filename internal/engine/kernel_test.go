package engine

import (
	"os"
	"path/filepath"
	"testing"

	"gotest.tools/v3/assert"
)

func TestIPVS(t *testing.T) {
	for _, tc := range []struct {
		doc        string
		files      map[string]string
		has, known bool
	}{
		{"in the running kernel", map[string]string{"proc/net/ip_vs": ""}, true, true},
		{"a kernel without modules", nil, false, true},
		{"a module that can be loaded", map[string]string{"proc/modules": "", "lib/modules/6.1/modules.dep": "kernel/a.ko:\nkernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/b.ko\n"}, true, true},
		{"no such module", map[string]string{"proc/modules": "", "lib/modules/6.1/modules.dep": "kernel/net/netfilter/ipvs/ip_vs_rr.ko: kernel/ip_vs.ko\n"}, false, true},
		{"modules out of sight", map[string]string{"proc/modules": ""}, false, false},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			root := t.TempDir()
			for name, content := range tc.files {
				assert.NilError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
				assert.NilError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
			}
			has, known := ipvs(root, "6.1")
			assert.Equal(t, has, tc.has)
			assert.Equal(t, known, tc.known)
		})
	}
}
