//go:build race

package throttle_test

// raceDetector is true if the race detector is on. The long tests do less then, because the detector is slow, and this package starts no
// goroutine.
const raceDetector = true
