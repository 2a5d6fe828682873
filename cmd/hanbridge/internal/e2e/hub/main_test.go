//go:build linux

// Package hub_test runs the program beside what Home Assistant and Node-RED make of its messages.
package hub_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
