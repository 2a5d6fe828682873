package probe

import (
	"errors"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// An Attempt is the turn of one endpoint, over all connections that are made to it meanwhile. Its methods may be called from any
// goroutine; its fields belong to the one that called Probe.
type Attempt struct {
	Endpoint
	// OnlyEndpoint tells that there is no other endpoint. Proved tells that a sound telegram has come, so that the endpoint is the right one.
	OnlyEndpoint, Proved bool
	// FailedRounds is how many rounds over all endpoints are over since the meter last sent.
	FailedRounds int

	began time.Time
	extra int // how often telegrams without a checksum have had one dwell more

	mu       sync.Mutex
	finding  Finding // its verdict and bytes are in evidence
	evidence line.Evidence
	restsTo  time.Time // until then bytes are no evidence
	connection
}

// open begins with another connection to the same endpoint, which adds to what is known: a reader may close each one.
func (a *Attempt) open() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evidence.BeginConnection()
	a.finding.ClosedByPeer, a.restsTo, a.connection = false, time.Time{}, connection{opened: time.Now()}
}

// received returns how many bytes have come since the wire was opened, and when the last came.
func (a *Attempt) received() (bytes int64, last time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.lastByte
}

// Finding returns what the endpoint has given.
func (a *Attempt) Finding() Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.finding
	f.Endpoint, f.Verdict, f.Bytes = a.Endpoint, a.evidence.Verdict(), a.evidence.Bytes()
	return f
}

// PauseEvidence drops the evidence that the bytes have given, and does not look at the next ones until rest: as long as telegrams come, to
// look at each byte would cost more than to read them.
func (a *Attempt) PauseEvidence(rest time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.restsTo = rest
	if a.evidence.Bytes() > 0 {
		a.evidence.Reset()
	}
}

// count takes in a telegram, or with bad one that gave no reading. It reports whether the telegram proves that the endpoint is the right
// one. A single message without a frame that no key opens does not: it has no checksum, and may be noise.
func (a *Attempt) count(bad *meter.TelegramError, verified bool) (proves bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &a.finding
	locked := false
	if bad != nil {
		_, locked = errors.AsType[*dlms.EncryptedError](bad)
	}
	a.lastDamaged = bad != nil && !bad.Intact && !locked
	if !a.lastDamaged {
		a.telegrams++
	}
	switch {
	case bad == nil:
		f.Telegrams++
		return verified
	case locked:
		f.Encrypted++
		return f.Encrypted > 1 || bad.Protocol != meter.Glo
	case bad.Intact:
		f.Unsupported++
		return true
	}
	f.Damaged++
	if bad.Protocol == meter.P1 {
		f.DamagedP1++
	}
	return false
}

func (a *Attempt) take(b []byte, now time.Time) {
	if len(b) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes, a.lastByte = a.bytes+int64(len(b)), now
	if !now.Before(a.restsTo) {
		a.evidence.Add(b)
	}
}
