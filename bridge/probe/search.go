package probe

import (
	"errors"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// search decides which endpoint is read next. It tries all endpoints in rounds until an endpoint is proved. From then on, each round begins
// with the endpoint that was proved last.
type search struct {
	source Source
	Options
	remaining    []Endpoint // the endpoints of this round whose turn is not over; the first is the current endpoint
	onlyEndpoint bool       // there is no other endpoint

	proved bool // the current endpoint is proved
	// provedAt is the time of the last telegram that proved an endpoint. If only an earlier search has proved an endpoint
	// (Options.LastProved), provedAt is the start of this search. If no endpoint was proved, provedAt is zero.
	provedAt time.Time
	began    time.Time

	failedRounds int // how many rounds have ended since provedAt
}

const (
	// Dwell is the default of Options.Dwell. It is a little longer than the usual longest interval of telegrams, 10 s.
	Dwell = 12 * time.Second
	// LongestInterval is the longest expected time between two telegrams. It is more than an hour because some meters send once an hour.
	LongestInterval = 70 * time.Minute
	// maxReopenTimeout is the longest time after which the only endpoint is opened again if it is silent. A longer ProvedTimeout takes its
	// place.
	maxReopenTimeout = 10 * time.Minute
)

func newSearch(s Source, o Options) search {
	n := search{source: s, Options: o, began: time.Now()}
	if n.Dwell == 0 {
		n.Dwell = Dwell
	}
	if o.LastProved.Port != "" {
		n.provedAt = n.began
	}
	return n
}

// endpoint returns the current endpoint. If no endpoint remains, it begins a new round.
func (s *search) endpoint() (Endpoint, error) {
	if len(s.remaining) == 0 {
		all, err := s.source.Endpoints()
		if err != nil {
			return Endpoint{}, err
		}
		if len(all) == 0 {
			return Endpoint{}, errors.New("no port and no line setting to try")
		}
		s.remaining = slices.Clone(all)
		s.onlyEndpoint = len(all) == 1 && !s.source.EndpointsChange
		s.prefer(func(e Endpoint) bool { return e.Same(s.LastProved) })
	}
	return s.remaining[0], nil
}

// prefer moves the endpoints for which preferred returns true to the beginning of this round.
func (s *search) prefer(preferred func(Endpoint) bool) {
	all := slices.Clone(s.remaining)
	first := slices.DeleteFunc(s.remaining, func(e Endpoint) bool { return !preferred(e) })
	s.remaining = append(first, slices.DeleteFunc(all, preferred)...)
}

// markProved records that a telegram has proved the current endpoint.
func (s *search) markProved() {
	s.LastProved, s.proved, s.provedAt, s.failedRounds = s.remaining[0], true, time.Now(), 0
}

// giveUp ends the turn of the current endpoint, whose bytes look like v. If the turn of a proved endpoint ends, a new round begins.
//
// If the bytes show another speed, giveUp removes the other settings of the same speed from this round. But it does so only in every second
// round, because the verdict can be wrong, and never with Options.SinglePass. If the bytes show another parity, the other settings of the same
// speed are next.
func (s *search) giveUp(v line.Verdict) {
	tried := s.remaining[0]
	if s.proved {
		s.proved, s.remaining = false, nil
		return
	}
	sameSpeed := func(e Endpoint) bool { return e.Port == tried.Port && e.Baud == tried.Baud && e.Baud > 0 }
	s.remaining = s.remaining[1:]
	switch {
	case v == line.OtherBaud && s.failedRounds%2 == 0 && !s.SinglePass:
		s.remaining = slices.DeleteFunc(s.remaining, sameSpeed)
	case v == line.OtherParity:
		s.prefer(sameSpeed)
	}
	if len(s.remaining) == 0 {
		s.failedRounds++
	}
}

// connectionFailed ends the turn of the current endpoint after a wire could not be opened, or has failed. But the turn continues if there
// is no other endpoint, or if the endpoint is proved and its ProvedTimeout is not over. noWait is true if the next endpoint is tried
// without a wait.
func (s *search) connectionFailed(opened bool) (noWait bool) {
	stillProved := s.proved && (s.ProvedTimeout == nil || time.Since(s.provedAt) < s.ProvedTimeout())
	if s.onlyEndpoint || len(s.remaining) == 0 || stillProved {
		return false
	}
	s.giveUp(line.Silent)
	return !opened && len(s.remaining) > 0
}

// timeouts returns how long the connection to the current endpoint remains open. timeout is for a connection without a telegram that proves the
// endpoint. silent is for a connection without a single byte. 0 means for ever.
//
// From the second round on, the endpoint that was proved last remains open without a byte as long as the silence has already lasted, at most
// LongestInterval. So this endpoint is read most of the time, and a meter that sends once an hour is not missed.
//
// The only endpoint is opened again after a timeout too, because some readers are silent on one connection for ever, and send on the next
// connection.
func (s *search) timeouts() (timeout, silent time.Duration) {
	since := time.Since(s.provedAt)
	switch {
	case s.source.Recorded, s.ProvedTimeout == nil && (s.proved || s.onlyEndpoint):
		return 0, 0
	case s.onlyEndpoint && !s.SinglePass:
		provedTimeout := s.ProvedTimeout()
		if s.provedAt.Before(s.began) { // no endpoint was proved
			since = time.Since(s.began)
		}
		// First the timeout is what remains of provedTimeout. After that, it is as long as the silence so far, with an upper bound.
		if timeout = max(provedTimeout-since, s.Dwell); since >= provedTimeout {
			timeout = min(since, max(provedTimeout, maxReopenTimeout))
		}
		return timeout, timeout
	case s.proved:
		timeout = max(s.ProvedTimeout()-since, s.Dwell)
		return timeout, timeout
	case s.remaining[0].Same(s.LastProved) && s.failedRounds > 0:
		return s.Dwell, min(since, LongestInterval)
	}
	return s.Dwell, s.Dwell
}
