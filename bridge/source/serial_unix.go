//go:build unix

package source

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// lock opens the port at path for reading and locks it until the result is closed. While the port is locked, lock fails for every other
// caller and program. The exclusive mode of serial ports (TIOCEXCL) is not enough because it has no effect on root. Call lock before this
// mode is set, because lock cannot open a port in this mode.
func lock(path string) (*os.File, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	// The poller of the Go runtime would wake the program at every byte. os.NewFile does not add a blocking file to the poller.
	err = syscall.SetNonblock(fd, false)
	f := os.NewFile(uintptr(fd), path)
	err = cmp.Or(err, syscall.SetNonblock(fd, true))
	if err = cmp.Or(err, flock(f)); err == nil {
		return f, nil
	}
	_ = f.Close() // an error does not matter because nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = syscall.EBUSY
	}
	return nil, err
}

// flock locks f. It does not call f.Fd, because f.Fd makes reads blocking.
func flock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var lockErr error
	err = raw.Control(func(fd uintptr) { lockErr = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
	return cmp.Or(err, lockErr)
}

// errDenied returns an error that names the group that is allowed to read the port, and the command that adds a user to this group.
func errDenied(path string) error {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return fmt.Errorf("open %s: permission denied", path)
	}
	gid := strconv.FormatUint(uint64(stat.Gid), 10)
	name := gid
	if group, err := user.LookupGroupId(gid); err == nil {
		name = group.Name
	}
	advice := ""
	if stat.Mode&0o040 == 0 { // the group is not allowed to read the port
		advice = fmt.Sprintf("; before that: sudo chmod g+rw %s, because the group is not allowed to open the port either", path)
	}
	return fmt.Errorf("open %s: permission denied (group %s, gid %s). Container: add group_add: [\"%s\"]; otherwise: "+
		"sudo usermod -aG %s $USER, and log in again%s", path, name, gid, gid, name, advice)
}
