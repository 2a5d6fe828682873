//go:build linux

// Package meter_test runs the program with meters and readers of all kinds: found, told, denied, simulated, replayed.
package meter_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
