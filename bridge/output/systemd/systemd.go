// Package systemd notifies the service manager (sd_notify(3)). It sends READY=1 when the first meter is online. It sends a status line. It
// also pings the watchdog, as long as no part of the bridge is stuck.
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

// An Output is a bridge.Output that notifies the service manager that started the program. It has no configuration, because systemd sets
// environment variables with the address of the socket and the interval of the watchdog.
type Output struct {
	readySent  bool // READY=1 was sent; it is sent only once, also if Run is called again
	status     status
	stuckAfter time.Duration // a part is stuck after this time without progress
}

var _ bridge.Output = (*Output)(nil)

// Enabled reports whether the service manager expects notifications (Type=notify). If not, no Output is needed.
func Enabled() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// New returns an Output for the service manager of this process.
func New() *Output { return &Output{stuckAfter: progress.StuckAfter} }

// Streams returns that the Output receives only the states of the meters.
func (o *Output) Streams() bridge.Streams { return bridge.Streams{} }

// Run notifies the service manager until ctx ends. It then notifies that the bridge is stopping. Run returns an error if the socket fails, or
// if the watchdog interval in the environment is not valid.
func (o *Output) Run(ctx context.Context, s *bridge.Subscription) error {
	watchdogInterval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return err
	}
	check := time.NewTicker(cmp.Or(watchdogInterval/2, checkInterval))
	defer check.Stop()
	s.Resync()
	for {
		select {
		case <-ctx.Done():
			if err := o.deliver(s); err != nil {
				return err
			}
			return notify(daemon.SdNotifyStopping)
		case <-s.Ready():
			err = o.deliver(s)
		case <-check.C:
			err = o.checkProgress(s, watchdogInterval > 0)
		}
		if err != nil {
			return err
		}
	}
}

// checkInterval is how often the Output checks for stuck parts if the service has no watchdog.
const checkInterval = 30 * time.Second

// checkProgress pings the watchdog, if there is a watchdog and no part of the bridge is stuck. The status names the stuck parts.
func (o *Output) checkProgress(s *bridge.Subscription, hasWatchdog bool) error {
	stuck := progress.Stuck(s.Health(), o.stuckAfter)
	if len(stuck) == 0 && hasWatchdog {
		if err := notify(daemon.SdNotifyWatchdog); err != nil {
			return err
		}
	}
	o.status.setStuck(stuck)
	return o.sendStatus()
}

// deliver takes the new batches and notifies the service manager of the changes.
func (o *Output) deliver(s *bridge.Subscription) error {
	for b := s.Take(); b != nil; b = s.Take() {
		for i := range b.Changes {
			o.status.add(&b.Changes[i])
		}
		s.Delivered(b.Number)
	}
	if o.status.online > 0 && !o.readySent {
		if err := notify(daemon.SdNotifyReady); err != nil {
			return err
		}
		o.readySent = true
	}
	return o.sendStatus()
}

// sendStatus sends the status if it is due.
func (o *Output) sendStatus() error {
	if !o.status.due(time.Now()) {
		return nil
	}
	return notify("STATUS=" + o.status.String())
}

// notify sends a state to the service manager.
func notify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}
