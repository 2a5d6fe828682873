//go:build unix

package config

import "golang.org/x/sys/unix"

// What a file can be wanted for.
const (
	ReadAccess  = unix.R_OK
	WriteAccess = unix.W_OK | unix.X_OK // of a folder: to make files in it
)

// HasAccess tells if this program may do something with a file. It does not open it.
func HasAccess(path string, want uint32) bool { return unix.Access(path, want) == nil }
