//go:build linux

// Package cost_test measures the whole program as its users run it.
package cost_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
