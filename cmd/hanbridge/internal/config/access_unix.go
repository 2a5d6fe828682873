//go:build unix

package config

import "golang.org/x/sys/unix"

// Kinds of access to a file, for HasAccess.
const (
	ReadAccess  = unix.R_OK
	WriteAccess = unix.W_OK | unix.X_OK // for a folder: to create files in it
)

// HasAccess reports whether this program has the wanted access to a file. It does not open the file.
func HasAccess(path string, want uint32) bool { return unix.Access(path, want) == nil }
