//go:build linux

// Package program_test runs the bridge between a meter and a broker, through what may happen to any of the three.
package program_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) { // by nohup, and so it would be in the programs that are started here
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testbed.Main(m)
}
