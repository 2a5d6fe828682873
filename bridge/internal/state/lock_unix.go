//go:build unix

package state

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock that bbolt takes, before it does, and reports if nobody else has it.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlock ends the lock: to close the file is not enough while bbolt has it mapped.
func unlock(file *os.File) { _ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
