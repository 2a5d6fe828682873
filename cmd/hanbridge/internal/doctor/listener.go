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

// listener is the probe.Handler of an examination. Its observation is about the endpoint that was opened last.
type listener struct {
	decoder  *meter.Decoder
	dwell    time.Duration
	progress func(format string, args ...any)
	speeds   map[string]bool // speeds at which the search has listened
	anyBytes bool            // whether a byte has arrived at one of these speeds
	observation
}

// observation describes a meter by the telegrams of one endpoint.
type observation struct {
	*probe.Attempt
	began  time.Time // when the endpoint was opened
	telnet bool      // the source is a gateway in telnet mode

	verifiedCount int                  // number of verified telegrams
	firstArrival  time.Time            // when the first verified telegram arrived; without a verified telegram, when the last intact telegram arrived
	lastArrival   time.Time            // when the last verified telegram arrived
	gaps          []time.Duration      // durations between verified telegrams
	encryptedErr  *dlms.EncryptedError // error of a telegram that the given keys do not decrypt

	protocol meter.Protocol
	bytes    int  // length of the longest verified telegram; without a verified telegram, of the last intact telegram
	items    int  // number of records in the longest verified telegram
	checked  bool // whether the last verified telegram has a right checksum or a valid authentication tag
	meter    meter.Meter
	family   string               // make whose rules the decoder applied, in lower case
	cipher   meter.Cipher         // encryption of the last verified telegram
	clock    obis.Time            // the meter's time in the last verified telegram
	sentIDs  map[quantity.ID]bool // quantities that the meter has sent
}

// Opened begins a new observation, unless the same attempt opens its endpoint again.
func (l *listener) Opened(a *probe.Attempt) error {
	if a != l.Attempt {
		l.observation = observation{Attempt: a, began: time.Now(), sentIDs: map[quantity.ID]bool{}}
		l.progress("listening on %s, %v at most …", daemon.EndpointName(a.Endpoint), l.dwell)
	}
	return nil
}

// Reading records a telegram, if it is verified. enough is true after at least three verified telegrams, if dwell has passed since the first of
// them. By then the interval is known, and the meter has most likely sent all its lists.
func (l *listener) Reading(_ context.Context, r *meter.Reading) (enough bool) {
	if !r.Verified {
		return false
	}
	now := time.Now()
	if l.verifiedCount++; l.verifiedCount > 1 {
		l.gaps = append(l.gaps, now.Sub(l.lastArrival))
	} else {
		l.firstArrival = now
	}
	l.lastArrival = now
	l.update(r)
	return len(l.gaps) > 1 && now.Sub(l.firstArrival) >= l.dwell
}

// provedTimeout returns how long to wait for the next telegram of an endpoint that has sent a telegram. Without a verified telegram this time
// is dwell. After the first verified telegram it is longer, because the interval is not known yet. After two or more verified telegrams, the
// wait ends when dwell has passed since the first of them.
func (l *listener) provedTimeout() time.Duration {
	switch l.verifiedCount {
	case 0:
		return l.dwell
	case 1:
		return 2*l.dwell + time.Second
	}
	return max(l.dwell-time.Since(l.firstArrival), time.Millisecond)
}

// update adds what a reading says about the meter.
func (l *listener) update(r *meter.Reading) {
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
		l.sentIDs[r.Samples[i].ID] = true
	}
}

// Damaged records an intact telegram that gave no reading: an encrypted telegram, or a telegram of an unknown kind. It ignores all telegrams
// after a verified telegram. If the probe has already accepted the endpoint as that of a meter (Proved), enough is true after one encrypted
// telegram, or after two telegrams of an unknown kind.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	encrypted, isEncrypted := errors.AsType[*dlms.EncryptedError](e)
	if l.verifiedCount > 0 || !isEncrypted && !e.Intact {
		return false
	}
	l.telnet = l.telnet || l.decoder.TelnetNegotiated()
	l.protocol, l.bytes, l.firstArrival = e.Protocol, e.Bytes, time.Now()
	if isEncrypted {
		l.encryptedErr = encrypted
	}
	return l.Proved && (isEncrypted || l.Finding().Unsupported > 1)
}

// Ended reports whether to try the next endpoint. It returns false if the search has listened at two speeds, and no byte has arrived. Then a
// third speed is useless, because a meter that sends causes bytes at a wrong speed too.
func (l *listener) Ended(e probe.ConnectionEnd) (goOn bool) {
	if e.Err != nil {
		return true // the connection failed, which says nothing about the speed
	}
	speed, _, _ := strings.Cut(e.Finding.Line, " ") // the speed of "2400 8E1" is 2400
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

// quantities returns the quantities that the meter has sent, sorted by ID.
func (o *observation) quantities() []quantity.ID { return slices.Sorted(maps.Keys(o.sentIDs)) }
