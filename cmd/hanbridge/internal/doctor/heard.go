package doctor

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// heard is what one wire gave.
type heard struct {
	endpoint  probe.Endpoint
	evidence  line.Evidence
	dwell     time.Duration
	began     time.Time
	timer     *time.Timer // closes the wire
	over      atomic.Bool // it has
	ended     bool        // by the other side
	telegrams int         // that were read, believed or not
	wire      atomic.Pointer[io.Closer]
	telnet    bool // it comes from a gateway in telnet mode

	verified int // telegrams that may be believed
	settles  time.Time
	last     time.Time
	gaps     []time.Duration
	damaged  int
	misfit   int // of these, the ASCII ones whose checksum alone is wrong
	unread   int // sound, of a kind that is not read
	locked   int // telegrams that no key opens
	lock     dlms.LockedError
	verifier probe.Verifier
	waits    int // for telegrams that are alike

	protocol meter.Protocol
	bytes    int // of the longest telegram
	items    int // in it
	checked  bool
	meter    meter.Meter
	family   string
	cipher   meter.Cipher
	clock    obis.Time
	seen     [256]bool // by quantity.ID
}

func newHeard(c probe.Endpoint, dwell time.Duration) *heard {
	return &heard{endpoint: c, dwell: dwell, began: time.Now()}
}

// end ends listening.
func (h *heard) end() {
	h.over.Store(true)
	if w := h.wire.Load(); w != nil {
		_ = (*w).Close()
	}
}

// use makes the wire the one that end closes.
func (h *heard) use(wire io.Closer) {
	h.wire.Store(&wire)
	if h.over.Load() {
		_ = wire.Close()
	}
}

// settled tells that the wire is read as it should be.
func (h *heard) settled() bool { return h.verified > 0 || h.proves(h.locked) || h.unread > 1 }

// proves tells that so many locked telegrams are no accident: frames have a checksum, a bare ciphered message only a head.
func (h *heard) proves(locked int) bool { return locked > 1 || locked > 0 && h.protocol != meter.Glo }

// enough tells that nothing more needs to be heard.
func (h *heard) enough() bool {
	switch {
	case h.verified > 0:
		return len(h.gaps) > 1 && time.Since(h.settles) >= h.dwell
	case h.unread > 1:
		return true
	}
	return h.proves(h.locked)
}

// good takes in a reading. The first that is believed proves the wire; one without checksum gives one alike time to come.
func (h *heard) good(r *meter.Reading, now time.Time) {
	if h.verified == 0 && !h.verifier.Believes(r) {
		if h.waits++; h.waits <= 4 {
			h.wait(h.dwell)
		}
		return
	}
	if h.verified++; h.verified == 1 {
		h.settles = now
		h.wait(2*h.dwell + time.Second)
	} else {
		h.gaps = append(h.gaps, now.Sub(h.last))
		h.wait(max(h.dwell-now.Sub(h.settles), time.Millisecond))
	}
	h.last = now
	h.take(r)
}

// wait sets how long the wire is read on.
func (h *heard) wait(d time.Duration) { h.timer.Reset(d) }

// take keeps what a reading says of the meter.
func (h *heard) take(r *meter.Reading) {
	h.protocol, h.checked, h.cipher = r.Protocol, r.Checked, r.Cipher
	if r.Bytes >= h.bytes {
		h.bytes, h.items = r.Bytes, len(r.Records)
	}
	h.family = cmp.Or(r.Family, h.family)
	m := &h.meter
	m.Make, m.Model = cmp.Or(r.Meter.Make, m.Make), cmp.Or(r.Meter.Model, m.Model)
	m.Serial, m.List = cmp.Or(r.Meter.Serial, m.Serial), cmp.Or(r.Meter.List, m.List)
	h.clock = r.Time
	for i := range r.Samples {
		h.seen[r.Samples[i].ID] = true
	}
}

// bad takes in a telegram that gave no reading.
func (h *heard) bad(e *meter.TelegramError, now time.Time) {
	locked, ok := errors.AsType[*dlms.LockedError](e)
	switch {
	case ok:
		if h.verified == 0 {
			h.protocol, h.bytes = e.Protocol, e.Bytes
		}
		h.locked++
		h.lock, h.last = *locked, now
	case e.Sound:
		h.protocol, h.bytes = e.Protocol, e.Bytes
		h.unread++
	default:
		h.damaged++
		if e.Protocol == meter.P1 {
			h.misfit++
		}
		if h.damaged > 1 {
			return
		}
	}
	if h.verified == 0 && !h.enough() {
		h.wait(h.dwell) // for one more, which may be better or proves it
	}
}

// interval is the median of the gaps between telegrams, 0 where there is none.
func (h *heard) interval() time.Duration {
	if len(h.gaps) == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(h.gaps))
	return gaps[len(gaps)/2].Round(500 * time.Millisecond)
}

// quantities are those that the meter sent, in the order of the table.
func (h *heard) quantities() []quantity.ID {
	var all []quantity.ID
	for id := range quantity.Count() {
		if h.seen[id] {
			all = append(all, quantity.ID(id))
		}
	}
	return all
}
