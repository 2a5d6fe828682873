//go:build race

package throttle_test

// raced makes days shorter work: the race detector is slow, and this package has one goroutine at a time.
const raced = true
