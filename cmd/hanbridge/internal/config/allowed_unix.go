//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a file can be wanted for.
const (
	ToRead  = unix.R_OK
	ToWrite = unix.W_OK | unix.X_OK // of a folder: to make files in it
)

// Allowed tells if this program may do something with a file. It does not open it.
func Allowed(path string, want uint32) bool { return unix.Access(path, want) == nil }

// needsGroup reports whether this program may read a file as a member of its group alone, so that the group is wanted.
func needsGroup(info fs.FileInfo) bool {
	is, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(is.Uid) != os.Getuid() && info.Mode().Perm()&0o020 == 0
}
