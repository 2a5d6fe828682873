package probe

import (
	"errors"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// An Attempt is the turn of one endpoint in a search. A turn can have several connections to the endpoint. The methods of an Attempt are safe
// for concurrent use. Only the goroutine that called Probe must use the fields.
type Attempt struct {
	Endpoint
	// OnlyEndpoint is true if there is no other endpoint.
	OnlyEndpoint bool
	// Proved is true if a telegram has proved the endpoint.
	Proved bool
	// FailedRounds is how many rounds over all endpoints have ended since the last telegram that proved an endpoint.
	FailedRounds int

	began       time.Time
	extraDwells int // how many telegrams that are not verified have extended the turn, each by Options.Dwell

	mu                  sync.Mutex     // guards the fields below
	finding             Finding        // its Verdict and Bytes are not set; evidence has them
	evidence            *line.Evidence // nil if no bytes were added since the last PauseEvidence
	evidencePausedUntil time.Time      // bytes that arrive earlier are not added to evidence
	connection
}

// open begins another connection to the same endpoint. It keeps the evidence of earlier connections, because some readers close every
// connection after a few bytes.
func (a *Attempt) open() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.evidence != nil {
		a.evidence.BeginConnection()
	}
	a.finding.ClosedByPeer, a.evidencePausedUntil, a.connection = false, time.Time{}, connection{opened: time.Now()}
}

// received returns how many bytes have arrived over this connection, and when the last byte arrived.
func (a *Attempt) received() (bytes int64, last time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.lastByte
}

// Finding returns what has arrived from the endpoint so far.
func (a *Attempt) Finding() Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.finding
	f.Endpoint, f.Verdict = a.Endpoint, a.verdict()
	if a.evidence != nil {
		f.Bytes = a.evidence.Bytes()
	}
	return f
}

// verdict returns the verdict on the evidence. The caller must hold a.mu.
func (a *Attempt) verdict() line.Verdict {
	if a.evidence == nil {
		return line.Silent
	}
	return a.evidence.Verdict()
}

// PauseEvidence drops the evidence that was collected so far, and collects no new evidence before the time until. Call it while telegrams
// arrive, because collecting evidence takes more time than decoding.
func (a *Attempt) PauseEvidence(until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evidencePausedUntil, a.evidence = until, nil
}

// count counts a telegram, and reports whether the telegram proves the endpoint. If the telegram gave no reading, telegramErr is its error.
// The first encrypted message without a frame proves nothing if no key decrypts it. Such a message has no checksum, so it is possibly
// noise.
func (a *Attempt) count(telegramErr *meter.TelegramError, verified bool) (proves bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &a.finding
	encrypted := false
	if telegramErr != nil {
		_, encrypted = errors.AsType[*dlms.EncryptedError](telegramErr)
	}
	a.lastDamaged = telegramErr != nil && !telegramErr.Intact && !encrypted
	if !a.lastDamaged {
		a.telegrams++
	}
	switch {
	case telegramErr == nil:
		f.Telegrams++
		return verified
	case encrypted:
		f.Encrypted++
		return f.Encrypted > 1 || telegramErr.Protocol != meter.Glo // Glo is a message without a frame
	case telegramErr.Intact:
		f.Unsupported++
		return true
	}
	f.Damaged++
	if telegramErr.Protocol == meter.P1 {
		f.DamagedP1++
	}
	return false
}

// addBytes counts received bytes, and adds them to the evidence.
func (a *Attempt) addBytes(b []byte, now time.Time) {
	if len(b) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes, a.lastByte = a.bytes+int64(len(b)), now
	if now.Before(a.evidencePausedUntil) {
		return
	}
	if a.evidence == nil {
		a.evidence = new(line.Evidence)
	}
	a.evidence.Add(b)
}
