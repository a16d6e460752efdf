//go:build !linux

package umlguest

// Called tells whether this process was started as a part of the guest: never,
// on a system other than Linux.
func Called([]string) bool { return false }

// Main is never called where Called is always false.
func Main([]string) int { return 1 }
