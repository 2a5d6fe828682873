//go:build linux

// Package deploy_test keeps what stands in deploy, and the Dockerfile, true to the program.
package deploy_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }
