package sandbox

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const (
	// umlModules is where Debian's package has its kernels' modules.
	umlModules = "/usr/lib/uml/modules"
	umlPackage = "On Debian: 'apt-get install user-mode-linux docker.io iproute2 iptables'."
	// memoryDir is where the guest's memory is, as a file without a name. It
	// must be a tmpfs that programs may be run from.
	memoryDir = "/dev/shm"
	tunDevice = "/dev/net/tun"
)

// umlKernel is a User Mode Linux kernel of this machine.
type umlKernel struct{ program, version, modules string }

func findUMLKernel(ctx context.Context) (umlKernel, error) {
	program, err := findProgram("/", "linux.uml")
	if err != nil {
		return umlKernel{}, problem.New("there is no User Mode Linux kernel on this machine").WithNext(umlPackage)
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return umlKernel{}, problem.New("the User Mode Linux kernel %s does not tell its version: %w", program, err)
	}
	version := strings.TrimSpace(string(out))
	modules := filepath.Join(umlModules, version)
	if _, err := os.Stat(filepath.Join(modules, "modules.dep")); err != nil {
		return umlKernel{}, problem.New("the modules of the User Mode Linux kernel %s are not there: %w", version, err).
			WithNext(umlPackage)
	}
	return umlKernel{program: program, version: version, modules: modules}, nil
}

// umlMemoryFree says when the machine cannot hold the guest's memory.
func umlMemoryFree() error {
	var fs unix.Statfs_t
	if err := unix.Statfs(memoryDir, &fs); err != nil {
		return &os.PathError{Op: "statfs", Path: memoryDir, Err: err}
	}
	if fs.Flags&unix.ST_NOEXEC != 0 {
		return problem.New("a guest kernel runs programs in its memory, which %s does not allow: it is mounted noexec", memoryDir).
			WithNext("Allow it: 'mount -o remount,exec %s'.", memoryDir)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < umlMemoryNeed {
		return problem.New("a guest kernel needs %d MiB of memory in %s, which has %d MiB free", umlMemoryNeed>>20, memoryDir, free>>20).
			WithNext("Give it more: 'mount -o remount,size=8G %s'.", memoryDir)
	}
	return nil
}

// selfIsStatic says when this program needs libraries, which are not there
// when the guest kernel starts it.
func selfIsStatic() error {
	f, err := elf.Open(selfPath)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return problem.New("this build of docker swarmnet is not static and cannot run in a guest kernel").
				WithNext("Build it with 'make build', or with CGO_ENABLED=0.")
		}
	}
	return nil
}

// makeUMLDir makes the kernel's folder: a root file system with this program
// alone, which stays what it is when the plugin is replaced, and what the
// kernel's user may write to. That user must get in whatever the umask is.
func makeUMLDir(dir string, user uint32) error {
	boot := filepath.Join(dir, umlBootDir)
	run, logs := filepath.Join(dir, umlRunDir), filepath.Join(dir, umlLogDir)
	for _, d := range []string{dir, boot, filepath.Join(boot, umlStage), run, logs} {
		if err := errors.Join(os.Mkdir(d, 0o755), os.Chmod(d, 0o755)); err != nil {
			return err
		}
	}
	program := filepath.Join(boot, umlInit)
	return errors.Join(
		os.Chown(run, int(user), int(user)),
		os.Chown(logs, int(user), int(user)),
		copySelf(program),
		os.Chmod(program, 0o755),
	)
}

func copySelf(to string) error {
	from, err := os.Open(selfPath)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// startUMLKernel starts the kernel, in a session of its own so that it outlives
// this command, as its own user, and records it in st. The channel is closed
// when it has ended.
func startUMLKernel(ctx context.Context, st *State, kernel umlKernel) (<-chan struct{}, error) {
	dir := filepath.Join(st.Dir, umlDir)
	args, err := umlKernelArgs(umlGuest(st, kernel.modules))
	if err != nil {
		return nil, err
	}
	console, err := os.OpenFile(filepath.Join(dir, umlConsole), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer console.Close()
	files, err := umlFiles(ctx, st)
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	user := umlUser(st.ID)
	cmd := exec.Command(kernel.program, args...)
	cmd.Env = []string{"PATH=" + strings.Join(programDirs(), ":"), "TMPDIR=" + memoryDir, "HOME=/"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = console, console
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: user, Gid: user}}
	if err := startOnOneCPU(cmd, user); err != nil {
		return nil, fmt.Errorf("start the User Mode Linux kernel: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		// What it has to say about its end is on its console.
		_ = cmd.Wait()
		close(ended)
	}()
	p, err := processOf(cmd.Process.Pid)
	st.Processes = []Process{p}
	return ended, err
}

// startOnOneCPU starts a command that stays on one CPU, as all its children do;
// number spreads several such commands over the CPUs that this process may use.
//
// The kernel has one CPU for its guest and hands over to a traced process and
// back at each of the guest's system calls and page faults. Where the two are on
// different CPUs each hand-over wakes another CPU: a "docker run" in the guest
// took 2.6 s on one CPU and 7.2 s on two.
func startOnOneCPU(cmd *exec.Cmd, number uint32) error {
	// A new process has the CPUs of the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	one := oneCPU(&all, number)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return os.NewSyscallError("sched_setaffinity", err)
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, &all); back != nil {
		err = errors.Join(err, os.NewSyscallError("sched_setaffinity", back))
	}
	return err
}

// oneCPU chooses one CPU of those in all.
func oneCPU(all *unix.CPUSet, number uint32) unix.CPUSet {
	var one unix.CPUSet
	left := int(number) % max(all.Count(), 1)
	for cpu := range len(all) * bits.UintSize {
		if !all.IsSet(cpu) {
			continue
		}
		if left == 0 {
			one.Set(cpu)
			break
		}
		left--
	}
	return one
}

// umlFiles opens what the kernel inherits, in the order of the descriptors:
// umlFDTap, umlFDDir, umlFDEngine. The files it returns with an error are to
// be closed too.
func umlFiles(ctx context.Context, st *State) ([]*os.File, error) {
	tap, err := makeTap(ctx, st)
	if err != nil {
		return nil, err
	}
	files := []*os.File{tap}
	folders := []string{filepath.Join(st.Dir, umlDir)}
	if st.Engine != "" {
		folders = append(folders, st.Engine)
	}
	for _, name := range folders {
		f, err := os.Open(name)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

// makeTap makes the cable: a tap that is there as long as somebody has it
// open, with this machine's address on it.
func makeTap(ctx context.Context, st *State) (*os.File, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: tunDevice, Err: err}
	}
	tap := os.NewFile(uintptr(fd), tunDevice)
	ifr, err := unix.NewIfreq(st.HostLink)
	if err == nil {
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil {
		err = ip(ctx, "",
			fmt.Sprintf("addr add %s/%d dev %s", st.Gateway(), st.Subnet.Bits(), st.HostLink),
			fmt.Sprintf("link set %s up", st.HostLink))
	}
	if err != nil {
		_ = tap.Close()
		return nil, fmt.Errorf("make the tap %s: %w", st.HostLink, err)
	}
	return tap, nil
}

// umlOwned describes the processes of a sandbox: the kernel and the processes
// that it keeps for those inside, all of one user that nothing else runs as.
func umlOwned(st *State) owned {
	o := owned{user: umlUser(st.ID)}
	if st.BootID == bootID() {
		o.known = st.Processes
	}
	return o
}
