//go:build race

package state_test

// raceDetector is true if the test runs with the race detector, which uses additional memory for each byte that is read.
const raceDetector = true
