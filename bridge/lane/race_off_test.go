//go:build !race

package lane_test

const raced = false
