package mqtt

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// An AnnouncerStage publishes the announcement steps of the meter "house" one by one, over one connection. The test sets the quantities that
// the meter sends.
type AnnouncerStage struct {
	session      *session
	capabilities *broker.Capabilities
}

// NewAnnouncerStage connects to the broker. The stage continues with the state of the stage before, unless before is nil.
func NewAnnouncerStage(ctx context.Context, c Config, before *AnnouncerStage, descriptors ...bridge.Descriptor) (*AnnouncerStage, error) {
	o := New(c, zerolog.Nop())
	o.devices = loadDevices(nil, &c)
	brokerConfig := c.brokerConfig()
	brokerConfig.Capabilities = new(broker.Capabilities)
	if before != nil {
		o.devices, brokerConfig.Capabilities = before.session.devices, before.capabilities
	}
	conn, err := broker.Dial(ctx, brokerConfig)
	if err != nil {
		return nil, err
	}
	s := &AnnouncerStage{newSession(o, conn, new(bridge.Feed)), brokerConfig.Capabilities}
	s.session.removedMeters, s.session.bridgeDevice.pending, o.scanned, o.marks = nil, true, true, newMarks(c.ClientID, nil)
	s.SetDescriptors(descriptors...)
	return s, nil
}

// SetDescriptors sets the quantities that the meter sends from now on.
func (s *AnnouncerStage) SetDescriptors(descriptors ...bridge.Descriptor) {
	m := s.session.meter(bridge.Meter{ID: "house"})
	m.descriptors, m.pending, m.isFirst = descriptors, true, true
	s.session.dropConfirmed(m)
}

// Step publishes the next step at once, and reports whether there are more steps. When Step returns, the broker has the messages of the
// step. The stage records them as delivered only if acknowledged is true.
func (s *AnnouncerStage) Step(ctx context.Context, acknowledged bool) (more bool, err error) {
	m := s.session.meters["house"]
	s.session.bridgeDevice.lastStep, m.lastStep = time.Time{}, time.Time{}
	s.session.announceDue()
	err = s.session.conn.Flush(ctx)
	if acknowledged {
		s.session.storeDelivered()
	}
	return len(s.session.bridgeDevice.steps) > 0 || len(m.steps) > 0 || m.pending, err
}

// Found passes the result of a complete retained scan to the session.
func (s *AnnouncerStage) Found(messages []discovery.Message) { s.session.adoptFound(messages) }

// FoundIncomplete passes the result of an incomplete retained scan to the session.
func (s *AnnouncerStage) FoundIncomplete(messages []discovery.Message) {
	s.session.scanIncomplete = true
	s.session.adoptFound(messages)
}

// ScanRecorded reports whether the state file records that a retained scan was complete.
func (s *AnnouncerStage) ScanRecorded() bool { return !s.session.devices.document.FirstScan.IsZero() }

// ExpireFound ends the lifetime of the announcements that the scan found.
func (s *AnnouncerStage) ExpireFound() { s.session.expireFound() }

// ForgetCapabilities drops what is known about the broker, as a restart of the bridge does.
func (s *AnnouncerStage) ForgetCapabilities() { s.capabilities = new(broker.Capabilities) }

// Close closes the connection.
func (s *AnnouncerStage) Close(ctx context.Context) error {
	return s.session.conn.Close(ctx)
}

// SetMinSilence sets how long another bridge must be silent before this bridge replaces it. Call SetMinSilence before Run.
func (o *Output) SetMinSilence(d time.Duration) { o.minSilence = d }
