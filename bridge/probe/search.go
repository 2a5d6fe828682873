package probe

import (
	"errors"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// search decides which endpoint is read next. It goes over all endpoints in rounds until one is proved. From then on that endpoint is the
// first of each round.
type search struct {
	source Source
	Options
	remaining    []Endpoint // of this round; the first one is in use
	onlyEndpoint bool       // there is no other endpoint

	proved bool // the endpoint in use is proved
	// lastProof is the time of the last telegram that proved an endpoint. It is the start of this search if only an earlier search has proved
	// one (Options.LastProved), and zero if none is proved.
	lastProof time.Time
	began     time.Time

	// failedRounds is how many rounds have ended since lastProof.
	failedRounds int
}

const (
	// Dwell is the default of Options.Dwell: the slowest meters send every 10 s.
	Dwell = 12 * time.Second
	// LongestInterval is the longest expected time between two telegrams: some meters send once an hour.
	LongestInterval = 70 * time.Minute
	// maxReopenTimeout is the longest time after which a silent wire is opened again if it is the only endpoint. It does not limit a
	// ProvedTimeout that is longer.
	maxReopenTimeout = 10 * time.Minute
)

func newSearch(s Source, o Options) search {
	n := search{source: s, Options: o, began: time.Now()}
	if n.Dwell == 0 {
		n.Dwell = Dwell
	}
	if o.LastProved.Port != "" {
		n.lastProof = n.began // silence is measured from the start of this search
	}
	return n
}

// endpoint returns the endpoint to read. It begins a round if none remains.
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

// prefer moves the preferred endpoints of this round to its beginning.
func (s *search) prefer(preferred func(Endpoint) bool) {
	all := slices.Clone(s.remaining)
	first := slices.DeleteFunc(s.remaining, func(e Endpoint) bool { return !preferred(e) })
	s.remaining = append(first, slices.DeleteFunc(all, preferred)...)
}

// markProved records that a telegram has proved the endpoint in use.
func (s *search) markProved() {
	s.LastProved, s.proved, s.lastProof, s.failedRounds = s.remaining[0], true, time.Now(), 0
}

// giveUp ends the turn of the endpoint in use, whose bytes look like v. If the speed is wrong, it skips other settings of the same speed.
// It does not skip them in every second round because bytes can mislead. With Options.SinglePass it never skips any.
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

// connectionFailed handles a wire that could not be opened, or that failed. The only endpoint stays in use, and so does a proved one during
// its ProvedTimeout. The turn of any other endpoint ends. atOnce reports whether the next endpoint of the round is tried without a wait,
// because the wire could not even be opened.
func (s *search) connectionFailed(opened bool) (atOnce bool) {
	if s.onlyEndpoint || len(s.remaining) == 0 || s.proved && (s.ProvedTimeout == nil || time.Since(s.lastProof) < s.ProvedTimeout()) {
		return false
	}
	s.giveUp(line.Silent)
	return !opened && len(s.remaining) > 0
}

// timeouts returns how long the wire of the endpoint in use stays open without a telegram that proves the endpoint, and how long (silent)
// without a single byte. 0 means for ever. A silent line is silent at every setting. So from the second round on, if no byte comes, the
// turn of the endpoint that was proved last takes as long as the silence has already lasted. That endpoint is then read most of the time,
// and a meter that sends once an hour is not missed. The only endpoint is opened again after a timeout too, because a reader can be silent
// on one connection for ever, and send on the next.
func (s *search) timeouts() (timeout, silent time.Duration) {
	since := time.Since(s.lastProof)
	switch {
	case s.source.Recorded || s.ProvedTimeout == nil && (s.proved || s.onlyEndpoint):
		return 0, 0
	case s.onlyEndpoint && !s.SinglePass:
		provedTimeout := s.ProvedTimeout()
		if s.lastProof.Before(s.began) {
			since = time.Since(s.began)
		}
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
