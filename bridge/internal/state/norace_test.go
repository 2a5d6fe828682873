//go:build !race

package state_test

// raceDetector tells that the test runs with the race detector.
const raceDetector = false
