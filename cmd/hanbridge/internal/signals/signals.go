// Package signals receives the signals that end the program from the earliest moment on. The initialisation of all packages takes some
// milliseconds, and a signal in that time would end the program without a message. This package imports only os, os/signal and syscall,
// so Go initialises it before the packages that import more.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// first receives the first signal. Its initialisation starts the reception.
var first = listen()

func listen() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, Terminating()...)
	return c
}

// Terminating returns the signals that end the program in good order. If nohup has made the program ignore SIGHUP, this signal is
// not among them, so that the program continues after its terminal has closed.
func Terminating() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// First returns the channel that receives the first signal of Terminating since the start of the program.
func First() <-chan os.Signal { return first }

// Stop ends the reception. Further signals then have their default effect: they end the program.
func Stop() { signal.Stop(first) }
