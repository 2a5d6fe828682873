//go:build !unix

package config

// What a file can be wanted for.
const (
	ToRead = iota
	ToWrite
)

// Allowed tells that nobody knows before trying.
func Allowed(string, uint32) bool { return true }
