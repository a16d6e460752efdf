package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
)

// cgroupOf is the cgroup that holds the containers of a sandbox, below the
// root of every hierarchy. It is named by ID because cgroups, unlike links and
// mounts, would silently be shared with another sandbox of the same name.
func cgroupOf(st *State) string { return "/docker-swarmnet-" + st.ID }

// cgroupDirs lists the folders of the sandbox's cgroups in all hierarchies,
// the innermost first.
func cgroupDirs(st *State) []string {
	if st.ID == "" {
		return nil
	}
	mounts, _ := allMounts()
	var dirs []string
	for _, m := range mounts {
		if m.fstype != "cgroup" && m.fstype != "cgroup2" {
			continue
		}
		var tree []string
		_ = filepath.WalkDir(filepath.Join(m.point, cgroupOf(st)), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				tree = append(tree, path)
			}
			return nil
		})
		for i := len(tree) - 1; i >= 0; i-- {
			dirs = append(dirs, tree[i])
		}
	}
	return dirs
}

// thawCgroups ends the freezing of paused containers, version 1 and 2.
func thawCgroups(st *State) {
	for _, dir := range cgroupDirs(st) {
		_ = os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("THAWED"), 0)
		_ = os.WriteFile(filepath.Join(dir, "cgroup.freeze"), []byte("0"), 0)
	}
}

// removeCgroups removes the cgroups, whose processes are gone.
func removeCgroups(st *State) {
	for _, dir := range cgroupDirs(st) {
		_ = os.Remove(dir)
	}
}
