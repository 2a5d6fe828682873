//go:build race

package state_test

// raceDetector is true if the test runs with the race detector, which needs more memory for each byte that the program reads.
const raceDetector = true
