//go:build linux

// Package program_test runs the bridge between a meter and a broker, through what may happen to any of the three.
package program_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
