//go:build linux

// Package broker_test runs the program at Mosquittos as people set them up: guarded, strict, restarted, flooded, and shared with a
// second bridge.
package broker_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
