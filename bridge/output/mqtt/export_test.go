package mqtt

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A Stage announces as a session does, one step at a time, for a meter "house" of which a test says what it sends.
type Stage struct {
	s     *session
	terms *broker.Capabilities // what the broker takes
}

// NewStage connects. It goes on from what an earlier stage left, which may be nil.
func NewStage(ctx context.Context, c Config, before *Stage, known ...bridge.Descriptor) (*Stage, error) {
	o := New(c, zerolog.Nop())
	if o.devices = loadDevices(nil, &c); before != nil {
		o.devices = before.s.devices
	}
	to := c.broker()
	if to.Capabilities = new(broker.Capabilities); before != nil {
		to.Capabilities = before.terms
	}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	s := &Stage{newSession(o, conn, new(bridge.Feed)), to.Capabilities}
	s.s.removedMeters, s.s.bridgeDevice.pending, o.scanned, o.marks = nil, true, true, newMarks(c.ClientID, nil)
	s.Sends(known...)
	return s, nil
}

// Sends says which quantities the meter sends from now on.
func (s *Stage) Sends(known ...bridge.Descriptor) {
	m := s.s.meter(bridge.Meter{ID: "house"})
	m.descriptors, m.pending, m.isFirst = known, true, true
	s.s.forgetSeen(m)
}

// Step does what is due next, as if the last step were long ago, and tells if there is more. The broker has all of it then, but the
// stage counts it as done only where it is acknowledged.
func (s *Stage) Step(ctx context.Context, acknowledged bool) (more bool, err error) {
	m := s.s.meters["house"]
	s.s.bridgeDevice.lastStep, m.lastStep = time.Time{}, time.Time{}
	s.s.announceDue()
	err = s.s.conn.Flush(ctx)
	if acknowledged {
		s.s.storeDelivered()
	}
	return len(s.s.bridgeDevice.steps) > 0 || len(m.steps) > 0 || m.pending, err
}

// Found gives the session what a retained scan found of the meter.
func (s *Stage) Found(messages []discovery.Message) { s.s.takeOver(messages) }

// FoundPart gives the session what an incomplete retained scan found of the meter.
func (s *Stage) FoundPart(messages []discovery.Message) {
	s.s.scanIncomplete = true
	s.s.takeOver(messages)
}

// Asked reports whether the output counts what the broker held as known.
func (s *Stage) Asked() bool { return !s.s.devices.document.Asked.IsZero() }

// ExpireFound ends the time for which the session believes what the scan found.
func (s *Stage) ExpireFound() { s.s.expireFound() }

// Forget forgets what the broker takes, as a start does.
func (s *Stage) Forget() { s.terms = new(broker.Capabilities) }

// Leave ends the connection.
func (s *Stage) Leave(ctx context.Context) error {
	return s.s.conn.Close(ctx)
}

// SetPatience says how long another bridge may be silent at least before it is taken for gone. Call it before Run.
func (o *Output) SetPatience(p time.Duration) { o.minSilence = p }
