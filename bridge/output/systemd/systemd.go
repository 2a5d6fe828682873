// Package systemd tells the service manager how the bridge is: ready with the first verified telegram, in a sentence what it
// does or which part is stuck, and alive as long as nothing is.
package systemd

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// An Output talks to the service manager that started the program. It is a bridge.Output, with nothing to configure: systemd
// says in the environment where it listens and how often it wants to hear that the bridge is alive.
type Output struct {
	ready      bool // has been said, once for all runs
	status     status
	stuckAfter time.Duration
}

var _ bridge.Output = (*Output)(nil)

// Enabled tells whether a service manager listens (Type=notify). Without one an Output has nothing to do.
func Enabled() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// New returns an Output.
func New() *Output { return &Output{stuckAfter: progress.StuckAfter} }

// Run tells the service manager until ctx ends, then that the bridge is stopping. An error is the socket's.
func (o *Output) Run(ctx context.Context, feed *bridge.Feed) error {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return err
	}
	look := time.NewTicker(cmp.Or(within/2, lookEvery))
	defer look.Stop()
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
		case <-look.C:
			err = o.look(feed, within > 0)
		}
		if err != nil {
			return err
		}
	}
}

// lookEvery is how often the Output looks whether something is stuck if no watchdog asks for it.
const lookEvery = 30 * time.Second

// look tells the watchdog that the bridge is alive, unless something in it is stuck: then the status says what.
func (o *Output) look(feed *bridge.Feed, watchdog bool) error {
	stuck := progress.Stuck(feed.Health(), o.stuckAfter)
	if len(stuck) == 0 && watchdog {
		if err := notify(daemon.SdNotifyWatchdog); err != nil {
			return err
		}
	}
	o.status.found(stuck)
	return o.tell()
}

// deliver takes all that is new, and tells what of it matters.
func (o *Output) deliver(feed *bridge.Feed) error {
	for b := feed.Take(); b != nil; b = feed.Take() {
		for i := range b.Updates {
			o.status.add(&b.Updates[i])
		}
	}
	if o.status.online > 0 && !o.ready {
		if err := notify(daemon.SdNotifyReady); err != nil {
			return err
		}
		o.ready = true
	}
	return o.tell()
}

// tell brings the status, if it is due.
func (o *Output) tell() error {
	if !o.status.due(time.Now()) {
		return nil
	}
	return notify("STATUS=" + o.status.String())
}

func notify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}
