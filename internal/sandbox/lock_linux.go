package sandbox

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errLocked is the answer when another command holds the lock.
var errLocked = errors.New("locked")

// lockDir locks a folder for as long as this process lives, or until unlock is
// called: the kernel ends the lock with the process, so that none can be left
// behind. wait waits for another holder, else errLocked is returned.
func lockDir(dir string, wait bool) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, &os.PathError{Op: "lock", Path: dir, Err: err}
	}
	return func() { _ = f.Close() }, nil
}
