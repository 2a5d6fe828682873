//go:build unix

package source

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// denied names the group that may read the port, and the lines that put somebody into it.
func denied(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open %s: permission denied", path)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("open %s: permission denied", path)
	}
	gid := strconv.FormatUint(uint64(stat.Gid), 10)
	name := gid
	if group, err := user.LookupGroupId(gid); err == nil {
		name = group.Name
	}
	advice := ""
	if info.Mode()&groupMayRead == 0 {
		advice = fmt.Sprintf("; before that: sudo chmod g+rw %s, since its group may not open it either", path)
	}
	return fmt.Errorf("open %s: permission denied (group %s, gid %s). Container: add group_add: [\"%s\"]; otherwise: "+
		"sudo usermod -aG %s $USER, and log in again%s", path, name, gid, gid, name, advice)
}

// groupMayRead is the permission of a file's group.
const groupMayRead = 0o040
