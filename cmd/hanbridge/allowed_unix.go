//go:build unix

package main

import "golang.org/x/sys/unix"

// What a file can be wanted for.
const (
	toRead  = unix.R_OK
	toWrite = unix.W_OK | unix.X_OK // of a folder: to make files in it
)

// allowed tells if this program may do something with a file. It does not open it.
func allowed(path string, want uint32) bool { return unix.Access(path, want) == nil }
