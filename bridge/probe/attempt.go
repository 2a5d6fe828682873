package probe

import (
	"errors"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// An Attempt is the turn of one endpoint, with all connections that are made to it during that turn. Its methods can be called from any
// goroutine. Its fields belong to the goroutine that called Probe.
type Attempt struct {
	Endpoint
	// OnlyEndpoint is true if there is no other endpoint.
	OnlyEndpoint bool
	// Proved is true if a telegram has proved that the endpoint is the right one.
	Proved bool
	// FailedRounds is how many rounds over all endpoints have ended since the last telegram that proved an endpoint.
	FailedRounds int

	began       time.Time
	extraDwells int // how many times telegrams that are not verified have extended the turn by one dwell

	mu                  sync.Mutex
	finding             Finding // without Verdict and Bytes, which evidence has
	evidence            line.Evidence
	evidencePausedUntil time.Time // until then evidence ignores the bytes
	connection
}

// open begins another connection to the same endpoint. The evidence of earlier connections stays because some readers close every
// connection.
func (a *Attempt) open() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evidence.BeginConnection()
	a.finding.ClosedByPeer, a.evidencePausedUntil, a.connection = false, time.Time{}, connection{opened: time.Now()}
}

// received returns how many bytes have come over this connection, and when the last one came.
func (a *Attempt) received() (bytes int64, last time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.lastByte
}

// Finding returns what has come from the endpoint so far.
func (a *Attempt) Finding() Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.finding
	f.Endpoint, f.Verdict, f.Bytes = a.Endpoint, a.evidence.Verdict(), a.evidence.Bytes()
	return f
}

// PauseEvidence drops the evidence of the bytes so far, and ignores bytes until the time until. While telegrams come, looking at each byte
// would cost more than decoding.
func (a *Attempt) PauseEvidence(until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evidencePausedUntil = until
	if a.evidence.Bytes() > 0 {
		a.evidence.Reset()
	}
}

// count counts a telegram. bad is its error if it gave no reading. proves reports whether the telegram proves that the endpoint is the
// right one. If no key decrypts the first encrypted message, and it has no frame, it proves nothing: it has no checksum, and is possibly
// noise.
func (a *Attempt) count(bad *meter.TelegramError, verified bool) (proves bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &a.finding
	encrypted := false
	if bad != nil {
		_, encrypted = errors.AsType[*dlms.EncryptedError](bad)
	}
	a.lastDamaged = bad != nil && !bad.Intact && !encrypted
	if !a.lastDamaged {
		a.telegrams++
	}
	switch {
	case bad == nil:
		f.Telegrams++
		return verified
	case encrypted:
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

// addBytes adds received bytes to the evidence.
func (a *Attempt) addBytes(b []byte, now time.Time) {
	if len(b) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes, a.lastByte = a.bytes+int64(len(b)), now
	if !now.Before(a.evidencePausedUntil) {
		a.evidence.Add(b)
	}
}
