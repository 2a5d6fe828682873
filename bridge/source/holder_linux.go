package source

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A holderIndex has the programs that have a device open, by the number of the device. The key is not the path, because a container can have
// another path for the same device.
type holderIndex map[uint64][]holder

// findHolders reads the open files of all processes. A user other than root sees only the processes of the same user.
func findHolders() holderIndex {
	all := holderIndex{}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return all
	}
	for _, p := range processes {
		if pid, err := strconv.Atoi(p.Name()); err == nil {
			all.add(pid)
		}
	}
	return all
}

// add adds the devices that a process has open. A process that has the master of a pseudo-terminal open is not added as a reader
// of pseudo-terminals, because such a process sends the bytes.
func (h holderIndex) add(pid int) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		return // the process has ended, or belongs to another user
	}
	var devices []uint64
	isMaster := false // of a pseudo-terminal
	for _, f := range files {
		file := filepath.Join(folder, "fd", f.Name())
		target, err := os.Readlink(file)
		if err != nil || !strings.HasPrefix(target, "/dev/") {
			continue
		}
		isMaster = isMaster || strings.HasSuffix(target, "/ptmx")
		if d := deviceNumber(file); d != 0 && !slices.Contains(devices, d) {
			devices = append(devices, d)
		}
	}
	name, err := os.ReadFile(filepath.Join(folder, "comm"))
	if err != nil {
		name = []byte("a program")
	}
	for _, d := range devices {
		if !isMaster || !isPseudoTerminal(d) {
			h[d] = append(h[d], holder{strings.TrimSpace(string(name)), pid})
		}
	}
}

// of returns the programs that have the device at path open. Only programs that this user can see are in the result.
func (h holderIndex) of(path string) []holder { return h[deviceNumber(path)] } // add never adds device 0

// deviceNumber returns the number of the character device at path; 0 if there is no such device.
func deviceNumber(path string) uint64 {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFCHR {
		return 0
	}
	return uint64(stat.Rdev) //nolint:unconvert // Rdev has 32 bits on MIPS
}

// isPseudoTerminal reports whether a device is the slave of a pseudo-terminal: Linux devices.txt, major numbers 136 to 143.
func isPseudoTerminal(device uint64) bool {
	major := device >> 8 & 0xFFF // bits 8 to 19
	return major >= 136 && major <= 143
}
