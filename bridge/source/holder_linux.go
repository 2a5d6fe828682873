package source

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// holding is who has which device open, by the device's number: its name may be another one in a container.
type holding map[uint64][]holder

// holders looks through the open files of all processes. It sees those of the same user alone, unless it is root.
func holders() holding {
	all := holding{}
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

// add notes the devices of a process. One that holds the other end of pseudo-terminals is not their reader.
func (h holding) add(pid int) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		return // it has ended, or is somebody else's
	}
	var devices []uint64
	feeds := false
	for _, f := range files {
		file := filepath.Join(folder, "fd", f.Name())
		target, err := os.Readlink(file)
		if err != nil || !strings.HasPrefix(target, "/dev/") {
			continue
		}
		feeds = feeds || strings.HasSuffix(target, "/ptmx")
		if d := device(file); d != 0 && !slices.Contains(devices, d) {
			devices = append(devices, d)
		}
	}
	name, err := os.ReadFile(filepath.Join(folder, "comm"))
	if err != nil {
		name = []byte("a program")
	}
	for _, d := range devices {
		if !feeds || !isPseudo(d) {
			h[d] = append(h[d], holder{strings.TrimSpace(string(name)), pid})
		}
	}
}

// of returns who has the device at path open, as far as this program may know.
func (h holding) of(path string) []holder { return h[device(path)] } // add keeps none of device 0

// device returns the number of the device at path, 0 for none.
func device(path string) uint64 {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFCHR {
		return 0
	}
	return uint64(stat.Rdev) //nolint:unconvert // it has 32 bits on MIPS
}

// isPseudo tells if a device is the reading end of a pseudo-terminal: Linux devices.txt, major numbers 136 to 143.
func isPseudo(device uint64) bool {
	major := device >> 8 & 0xFFF
	return major >= 136 && major <= 143
}
