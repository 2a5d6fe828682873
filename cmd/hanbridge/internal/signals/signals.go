// Package signals receives the signals that end the program. It begins to receive them before other packages are initialised. Their
// initialisation takes some milliseconds, and a signal in that time would end the program without a message. This package imports only os,
// os/signal and syscall, so Go initialises it before the packages that import more.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// received is the channel of First. The initialisation of this variable starts the reception.
var received = listen()

// listen returns a channel that receives the Terminating signals. The channel holds one signal until it is read.
func listen() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, Terminating()...)
	return c
}

// Terminating returns the signals that ask the program to end. They do not include SIGHUP if the program was started with nohup, because such
// a program must continue after its terminal has closed.
func Terminating() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// First returns the channel that receives the first of the Terminating signals since the start of the program.
func First() <-chan os.Signal { return received }

// Stop ends the reception. Further signals then have their default effect: they end the program.
func Stop() { signal.Stop(received) }
