// Package signals hears the signals that end the program before the other packages are made ready, which takes some
// milliseconds: a signal that comes then would end the program without a word. It is a package of its own, and imports next to
// nothing, since Go makes packages ready in the order of their imports.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

var first = listen()

func listen() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, Terminating()...)
	return c
}

// Terminating returns those that end the program in good order. Where nohup has SIGHUP ignored, it stays ignored: the program
// outlives its terminal.
func Terminating() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// First returns the channel on which a signal of Terminating comes, the first since the program was started.
func First() <-chan os.Signal { return first }

// Stop leaves further signals to do what they do to any program.
func Stop() { signal.Stop(first) }
