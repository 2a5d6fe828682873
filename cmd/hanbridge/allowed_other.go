//go:build !unix

package main

// What a file can be wanted for.
const (
	toRead = iota
	toWrite
)

// allowed tells that nobody knows before trying.
func allowed(string, uint32) bool { return true }
