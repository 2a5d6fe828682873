package doctor

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// listener is the probe.Handler of an examination. It keeps what the telegrams of the endpoint in use say of their meter.
type listener struct {
	decoder  *meter.Decoder
	dwell    time.Duration
	progress func(format string, args ...any)
	speeds   map[string]bool // that were listened to
	heard    bool            // bytes came at one of them
	observation
}

// observation is what the telegrams of one endpoint say.
type observation struct {
	*probe.Attempt
	began  time.Time
	telnet bool // it comes from a gateway in telnet mode

	verified    int       // telegrams that may be believed
	first, last time.Time // of these, or of those that gave no reading
	gaps        []time.Duration
	lock        *dlms.EncryptedError // of a telegram that no key opens

	protocol meter.Protocol
	bytes    int // of the longest telegram
	items    int // in it
	checked  bool
	meter    meter.Meter
	family   string
	cipher   meter.Cipher
	clock    obis.Time
	seen     map[quantity.ID]bool
}

// Opened begins with another endpoint.
func (l *listener) Opened(a *probe.Attempt) error {
	if a != l.Attempt {
		l.observation = observation{Attempt: a, began: time.Now(), seen: map[quantity.ID]bool{}}
		l.progress("listening on %s, %v at most …", daemon.EndpointName(a.Endpoint), l.dwell)
	}
	return nil
}

// Reading takes in a telegram, and tells if enough is known of the meter: how often it sends, and all of its lists.
func (l *listener) Reading(_ context.Context, r *meter.Reading) (enough bool) {
	if !r.Verified {
		return false
	}
	now := time.Now()
	if l.verified++; l.verified > 1 {
		l.gaps = append(l.gaps, now.Sub(l.last))
	} else {
		l.first = now
	}
	l.last = now
	l.take(r)
	return len(l.gaps) > 1 && now.Sub(l.first) >= l.dwell
}

// readOn is how long a wire is read on that has given a telegram: for one more, and then until all lists have come.
func (l *listener) readOn() time.Duration {
	switch l.verified {
	case 0:
		return l.dwell
	case 1:
		return 2*l.dwell + time.Second
	}
	return max(l.dwell-time.Since(l.first), time.Millisecond)
}

// take keeps what a reading says of the meter.
func (l *listener) take(r *meter.Reading) {
	l.telnet = l.telnet || l.decoder.TelnetNegotiated()
	l.protocol, l.checked, l.cipher = r.Protocol, r.Checked, r.Cipher
	if r.Bytes >= l.bytes {
		l.bytes, l.items = r.Bytes, len(r.Records)
	}
	l.family = cmp.Or(r.Family, l.family)
	m := &l.meter
	m.Make, m.Model = cmp.Or(r.Meter.Make, m.Make), cmp.Or(r.Meter.Model, m.Model)
	m.Serial, m.List = cmp.Or(r.Meter.Serial, m.Serial), cmp.Or(r.Meter.List, m.List)
	l.clock = r.Time
	for i := range r.Samples {
		l.seen[r.Samples[i].ID] = true
	}
}

// Damaged takes in a telegram that gave no reading. It is enough if the meter is found, and this is all that it sends.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	locked, isLocked := errors.AsType[*dlms.EncryptedError](e)
	if l.verified > 0 || !isLocked && !e.Intact {
		return false
	}
	l.telnet = l.telnet || l.decoder.TelnetNegotiated()
	l.protocol, l.bytes, l.first = e.Protocol, e.Bytes, time.Now()
	if isLocked {
		l.lock = locked
	}
	return l.Proved && (isLocked || l.Finding().Unsupported > 1)
}

// Ended gives up where nothing has come at two speeds: at a wrong one too a meter that sends gives bytes.
func (l *listener) Ended(e probe.ConnectionEnd) (goOn bool) {
	if e.Err != nil {
		return true
	}
	speed, _, _ := strings.Cut(e.Finding.Line, " ")
	l.speeds[speed] = true
	l.heard = l.heard || e.Finding.Bytes > 0
	return l.heard || len(l.speeds) < 2
}

// interval is the median of the gaps between telegrams, 0 if there is none.
func (o *observation) interval() time.Duration {
	if len(o.gaps) == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(o.gaps))
	return gaps[len(gaps)/2].Round(500 * time.Millisecond)
}

// quantities are those that the meter sent, in the order of the table.
func (o *observation) quantities() []quantity.ID { return slices.Sorted(maps.Keys(o.seen)) }
