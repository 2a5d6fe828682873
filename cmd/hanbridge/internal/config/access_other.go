//go:build !unix

package config

// What a file can be wanted for.
const (
	ReadAccess = iota
	WriteAccess
)

// HasAccess tells that nobody knows before trying.
func HasAccess(string, uint32) bool { return true }
