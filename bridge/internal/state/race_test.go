//go:build race

package state_test

// raceDetector is true if the test runs with the race detector, which needs much more memory.
const raceDetector = true
