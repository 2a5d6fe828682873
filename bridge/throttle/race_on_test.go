//go:build race

package throttle_test

// raceDetector is true if the race detector is on. It is slow, and this package starts no goroutine: the long tests do less then.
const raceDetector = true
