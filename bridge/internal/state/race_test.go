//go:build race

package state_test

// raceDetector tells that the test runs with the race detector, which notes each byte of what is read in memory of its own.
const raceDetector = true
