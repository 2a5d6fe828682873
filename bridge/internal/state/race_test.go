//go:build race

package state_test

// raceDetector is true if the test runs with the race detector. Its additional memory makes measurements of memory meaningless.
const raceDetector = true
