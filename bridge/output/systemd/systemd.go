// Package systemd tells the service manager how the bridge is: ready with the first verified telegram, in a sentence what it
// does, and alive as long as nothing in it is stuck.
package systemd

import (
	"context"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/hanbridge/hanbridge/bridge"
)

// An Output talks to the service manager that started the program. It is a bridge.Output, with nothing to configure: systemd
// says in the environment where it listens and how often it wants to hear that the bridge is alive.
type Output struct {
	ready  bool // has been said, once for all runs
	status status
}

var _ bridge.Output = (*Output)(nil)

// Wanted tells whether a service manager listens (Type=notify). Without one an Output has nothing to do.
func Wanted() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// New returns an Output.
func New() *Output { return new(Output) }

// Run tells the service manager until ctx ends, then that the bridge is stopping. An error is the socket's.
func (o *Output) Run(ctx context.Context, feed *bridge.Feed) error {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return err
	}
	ping, stop := every(within / 2)
	defer stop()
	feed.Resync()
	for {
		select {
		case <-ctx.Done():
			if err := o.deliver(feed); err != nil {
				return err
			}
			return notify(daemon.SdNotifyStopping)
		case <-feed.Ready():
			err = o.deliver(feed)
		case <-ping:
			feed.Answers()
			err = notify(daemon.SdNotifyWatchdog)
		}
		if err != nil {
			return err
		}
	}
}

// every returns a channel that gives a value each period, and what ends it. Without a period it never gives one.
func every(period time.Duration) (tick <-chan time.Time, stop func()) {
	if period <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(period)
	return t.C, t.Stop
}

// deliver takes all that is new, and tells what of it matters.
func (o *Output) deliver(feed *bridge.Feed) error {
	for b := feed.Take(); b != nil; b = feed.Take() {
		for i := range b.News {
			o.status.add(&b.News[i])
		}
	}
	if o.status.online > 0 && !o.ready {
		if err := notify(daemon.SdNotifyReady); err != nil {
			return err
		}
		o.ready = true
	}
	if !o.status.due(time.Now()) {
		return nil
	}
	return notify("STATUS=" + o.status.String())
}

func notify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}
