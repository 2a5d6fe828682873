package mqtt

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A StepAnnouncer announces the bridge and the meter "house" over one connection. It publishes an announcement step at each call of Step. The
// test sets the quantities that the meter sends.
type StepAnnouncer struct {
	session      *session
	capabilities *broker.Capabilities
}

// NewStepAnnouncer connects to the broker. If previous is not nil, the new StepAnnouncer continues with the record of retained messages of
// previous and with what previous knows of the broker.
func NewStepAnnouncer(ctx context.Context, c Config, previous *StepAnnouncer, descriptors ...bridge.Descriptor) (*StepAnnouncer, error) {
	o := New(c, zerolog.Nop())
	o.devices = loadDevices(nil, &c)
	brokerConfig := c.brokerConfig()
	brokerConfig.Capabilities = new(broker.Capabilities)
	if previous != nil {
		o.devices, brokerConfig.Capabilities = previous.session.devices, previous.capabilities
	}
	conn, err := broker.Dial(ctx, brokerConfig)
	if err != nil {
		return nil, err
	}
	s := &StepAnnouncer{newSession(o, conn, new(bridge.Subscription)), brokerConfig.Capabilities}
	o.scanned, o.marks = true, newMarks(c.ClientID, nil)
	s.session.removedMeters = nil // newSession adds a recorded meter "house", because the Subscription has no meters
	s.session.bridgeDevice.pending = true
	s.SetDescriptors(descriptors...)
	return s, nil
}

// SetDescriptors sets the quantities that the meter sends from now on.
func (s *StepAnnouncer) SetDescriptors(descriptors ...bridge.Descriptor) {
	if s.session.meters["house"] == nil {
		s.session.meterIDs = append(s.session.meterIDs, "house") // so that addMeter does not subscribe
		s.session.addMeter(context.Background(), bridge.Meter{ID: "house"})
	}
	m := s.session.meters["house"]
	m.descriptors, m.pending, m.isFirst = descriptors, true, true
	s.session.dropConfirmed(m)
}

// Step publishes the next step without waiting for discovery.StepPause, and reports whether there are more steps. When Step returns, the broker
// has the messages of the step. They are recorded as delivered only if recordDelivered is true.
func (s *StepAnnouncer) Step(ctx context.Context, recordDelivered bool) (more bool, err error) {
	m := s.session.meters["house"]
	s.session.bridgeDevice.lastStep, m.lastStep = time.Time{}, time.Time{}
	s.session.announceDue()
	err = s.session.conn.Flush(ctx)
	if recordDelivered {
		s.session.storeDelivered(s.session.conn.Published())
	}
	return len(s.session.bridgeDevice.steps) > 0 || len(m.steps) > 0 || m.pending, err
}

// Found passes the announcements that a complete retained scan has found to the session.
func (s *StepAnnouncer) Found(messages []discovery.Message) { s.session.adoptFound(messages) }

// FoundIncomplete passes the announcements that an incomplete retained scan has found to the session.
func (s *StepAnnouncer) FoundIncomplete(messages []discovery.Message) {
	s.session.scanIncomplete = true
	s.session.adoptFound(messages)
}

// ScanRecorded reports whether a complete retained scan is recorded.
func (s *StepAnnouncer) ScanRecorded() bool { return !s.session.devices.document.FirstScan.IsZero() }

// ExpireFound does what the session does at the end of foundLifetime.
func (s *StepAnnouncer) ExpireFound() { s.session.expireFound() }

// ForgetCapabilities makes the next StepAnnouncer start without knowledge of the broker's limits, as after a restart of the bridge.
func (s *StepAnnouncer) ForgetCapabilities() { s.capabilities = new(broker.Capabilities) }

// Close closes the connection.
func (s *StepAnnouncer) Close(ctx context.Context) error {
	return s.session.conn.Close(ctx)
}

// SetMinSilence sets the shortest time without a telegram of another bridge after which this bridge can replace that bridge. Call SetMinSilence
// before Run.
func (o *Output) SetMinSilence(d time.Duration) { o.minSilence = d }
