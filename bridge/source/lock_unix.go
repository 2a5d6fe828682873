//go:build unix

package source

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lock keeps other readers from the port at path until it is closed. The exclusive access that a serial port has itself does not
// keep root out. It is opened first: afterwards that access would keep us out, too.
func lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close() // nothing was done with it
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = syscall.EBUSY
	}
	return nil, err
}
