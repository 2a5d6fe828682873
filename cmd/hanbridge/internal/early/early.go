// Package early hears the signals that end the program before the other packages are made ready, which takes some
// milliseconds: a signal that comes then would end the program without a word. It is a package of its own, and imports next to
// nothing, since Go makes packages ready in the order of their imports.
package early

import (
	"os"
	"os/signal"
	"syscall"
)

var heard = listen()

func listen() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, Signals()...)
	return c
}

// Signals returns those that end the program in good order. Where nohup has SIGHUP ignored, it stays ignored: the program
// outlives its terminal.
func Signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// Heard returns the channel on which a signal of Signals comes, the first since the program was started.
func Heard() <-chan os.Signal { return heard }

// Stop leaves further signals to do what they do to any program.
func Stop() { signal.Stop(heard) }
