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

// listener is the probe.Handler of an examination. Its observation is about the endpoint that is open.
type listener struct {
	decoder  *meter.Decoder
	dwell    time.Duration
	progress func(format string, args ...any)
	speeds   map[string]bool // speeds at which it has listened
	anyBytes bool            // bytes have arrived at one of these speeds
	observation
}

// observation describes a meter by the telegrams of one endpoint.
type observation struct {
	*probe.Attempt
	began  time.Time
	telnet bool // the source is a gateway in telnet mode

	verified     int       // number of verified telegrams
	first, last  time.Time // arrival times of verified telegrams, or of telegrams that gave no reading
	gaps         []time.Duration
	encryptedErr *dlms.EncryptedError // error of a telegram that no key decrypts

	protocol meter.Protocol
	bytes    int // length of the longest telegram
	items    int // number of records in the longest telegram
	checked  bool
	meter    meter.Meter
	family   string
	cipher   meter.Cipher
	clock    obis.Time
	seen     map[quantity.ID]bool
}

// Opened begins the observation of another endpoint.
func (l *listener) Opened(a *probe.Attempt) error {
	if a != l.Attempt {
		l.observation = observation{Attempt: a, began: time.Now(), seen: map[quantity.ID]bool{}}
		l.progress("listening on %s, %v at most …", daemon.EndpointName(a.Endpoint), l.dwell)
	}
	return nil
}

// Reading records a telegram. It reports whether the examination has enough: the interval, and all lists that the meter sends.
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
	l.record(r)
	return len(l.gaps) > 1 && now.Sub(l.first) >= l.dwell
}

// readOn returns how much longer to read an endpoint: until the first telegram, then until the next, then until all lists were sent.
func (l *listener) readOn() time.Duration {
	switch l.verified {
	case 0:
		return l.dwell
	case 1:
		return 2*l.dwell + time.Second
	}
	return max(l.dwell-time.Since(l.first), time.Millisecond)
}

// record records what a reading says about the meter.
func (l *listener) record(r *meter.Reading) {
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

// Damaged records a telegram that gave no reading. It reports whether the examination has enough: the meter is found, and sends nothing else.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	encrypted, isEncrypted := errors.AsType[*dlms.EncryptedError](e)
	if l.verified > 0 || !isEncrypted && !e.Intact {
		return false
	}
	l.telnet = l.telnet || l.decoder.TelnetNegotiated()
	l.protocol, l.bytes, l.first = e.Protocol, e.Bytes, time.Now()
	if isEncrypted {
		l.encryptedErr = encrypted
	}
	return l.Proved && (isEncrypted || l.Finding().Unsupported > 1)
}

// Ended reports whether to try the next endpoint. It gives up if no byte has arrived at two speeds, because a meter that sends gives bytes at
// a wrong speed too.
func (l *listener) Ended(e probe.ConnectionEnd) (goOn bool) {
	if e.Err != nil {
		return true
	}
	speed, _, _ := strings.Cut(e.Finding.Line, " ")
	l.speeds[speed] = true
	l.anyBytes = l.anyBytes || e.Finding.Bytes > 0
	return l.anyBytes || len(l.speeds) < 2
}

// interval returns the median of the gaps between telegrams, or 0 if there are none.
func (o *observation) interval() time.Duration {
	if len(o.gaps) == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(o.gaps))
	return gaps[len(gaps)/2].Round(500 * time.Millisecond)
}

// quantities returns the quantities that the meter has sent, in the order of the table.
func (o *observation) quantities() []quantity.ID { return slices.Sorted(maps.Keys(o.seen)) }
