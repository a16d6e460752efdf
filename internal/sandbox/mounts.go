package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// mount is one line of /proc/self/mountinfo.
type mount struct {
	point  string
	fstype string
}

// parseMountinfo reads the format of proc(5): fields up to a lone hyphen, of
// which the fifth is the mount point, then the type of file system.
func parseMountinfo(text string) []mount {
	var mounts []mount
	for _, line := range strings.Split(text, "\n") {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 5 {
			continue
		}
		fstype, _, _ := strings.Cut(after, " ")
		mounts = append(mounts, mount{point: unescapeMount(fields[4]), fstype: fstype})
	}
	return mounts
}

// unescapeMount undoes the kernel's \040 for a blank and its like.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func allMounts() ([]mount, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(string(data)), nil
}

// mountsBelow returns the mounts at and below dir, in the order they were made.
func mountsBelow(dir string) ([]mount, error) {
	all, err := allMounts()
	if err != nil {
		return nil, err
	}
	var below []mount
	for _, m := range all {
		if m.point == dir || strings.HasPrefix(m.point, strings.TrimSuffix(dir, "/")+"/") {
			below = append(below, m)
		}
	}
	return below, nil
}

// programDirs are where a node looks for programs, in the order of its PATH.
func programDirs() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// findProgram looks for a program in the root file system at root and returns
// its path inside that root. A symbolic link counts as found: its target may
// be absolute, and is then one inside that root too.
func findProgram(root, name string) (string, error) {
	for _, dir := range programDirs() {
		path := filepath.Join(dir, name)
		if info, err := os.Lstat(filepath.Join(root, path)); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	where := "on this machine"
	if root != "/" {
		where = "in the engine root " + root
	}
	return "", problem.New("there is no program %q %s", name, where).
		WithNext("On Debian and Ubuntu: 'apt-get install docker.io iproute2 iptables'.")
}
