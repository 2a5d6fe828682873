package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"go.bug.st/serial"
)

// explainOpen returns an error that gives the most likely reason why a port cannot be opened, and what to do.
func explainOpen(path string, err error) error {
	code := serial.PortErrorCode(-1)
	if p := new(serial.PortError); errors.As(err, &p) {
		code = p.Code()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || code == serial.PortNotFound:
		return fmt.Errorf("open %s: no such port (is the cable plugged in? ls /dev/serial/by-id shows the ports. In a container: is the port among the devices?)", path)
	case errors.Is(err, fs.ErrPermission) || code == serial.PermissionDenied:
		return errDenied(path)
	case code == serial.PortBusy || errors.Is(err, syscall.EBUSY):
		return errBusy(path, findHolders().of(path))
	case code == serial.InvalidSerialPort && strings.Contains(err.Error(), syscall.ENOTTY.Error()): // the library does not wrap ENOTTY
		return fmt.Errorf("open %s: it is not a serial port", path)
	case code == serial.InvalidSerialPort:
		return fmt.Errorf("open %s: the port cannot be set up (does its driver know this line setting?): %w", path, err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// A holder is a program that has a device open.
type holder struct {
	name string
	pid  int
}

// errBusy returns an error that names the programs that have the port open. If the programs are unknown, holders is empty.
func errBusy(path string, holders []holder) error {
	var programs []string
	for _, h := range holders {
		if h.pid == os.Getpid() {
			return fmt.Errorf("open %s: another meter of this bridge reads it: set another port for one of the two meters", path)
		}
		programs = append(programs, fmt.Sprintf("%s (process %d)", h.name, h.pid))
	}
	if len(programs) == 0 {
		return fmt.Errorf("open %s: another program reads it (sudo fuser %s shows which): stop that program, because a port can have only one reader", path, path)
	}
	return fmt.Errorf("open %s: another program reads it, %s: stop that program, because a port can have only one reader", path, strings.Join(programs, ", "))
}
