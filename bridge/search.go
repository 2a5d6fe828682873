package bridge

import (
	"errors"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// search is the way to the endpoint that a meter speaks on: rounds over all endpoints, until one has given a telegram
// whose checksum is right. What has worked once is tried first from then on.
type search struct {
	source probe.Source
	left   []probe.Endpoint // of this round; the first is in use
	alone  bool             // there is nothing else to try

	worked probe.Endpoint // the last that gave a sound telegram
	proved bool           // the one in use has done so
	last   time.Time      // of the last sound telegram, or the start where an earlier run had one; zero else
	began  time.Time

	// fruitless is how many rounds are over since then.
	fruitless int
}

const (
	// dwell is how long an endpoint may take to give a telegram before the next is tried: the slowest meters speak every
	// 10 s (facts of the field: 12 s).
	dwell = 12 * time.Second
	// relearn is how long a wire may at least be without a sound telegram before all endpoints are tried again.
	relearn = time.Minute
	// rarely is the longest time after which a silent wire is opened again, if it is the only endpoint. It is longer only for a meter that
	// sends so seldom that six of its intervals take more than ten minutes.
	rarely = 10 * time.Minute
	// longestStay is for meters that speak once an hour.
	longestStay = 70 * time.Minute
)

// endpoint returns the one to read. It begins a round where none is left.
func (s *search) endpoint() (probe.Endpoint, error) {
	if s.began.IsZero() {
		s.began = time.Now()
	}
	if len(s.left) == 0 {
		all, err := s.source.Endpoints()
		if err != nil {
			return probe.Endpoint{}, err
		}
		if len(all) == 0 {
			return probe.Endpoint{}, errors.New("no port and no line setting to try")
		}
		s.left = slices.Clone(all)
		s.alone = len(all) == 1 && !s.source.Changing
		slices.SortStableFunc(s.left, func(a, b probe.Endpoint) int { return first(a.Is(s.worked), b.Is(s.worked)) })
	}
	return s.left[0], nil
}

// first compares what is so with what is not.
func first(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}

// prove notes that the endpoint in use has given a sound telegram.
func (s *search) prove(now time.Time) {
	s.worked, s.proved, s.last, s.fruitless = s.left[0], true, now, 0
}

// next gives up the endpoint in use, on which the bytes looked like v. Where they say that the speed is wrong, other
// settings of that speed are passed over; in every second round they are not, since bytes may mislead.
func (s *search) next(v line.Verdict) {
	tried := s.left[0]
	if s.proved {
		s.proved, s.left = false, nil
		return
	}
	alike := func(c probe.Endpoint) bool { return c.Port == tried.Port && c.Baud == tried.Baud && c.Baud > 0 }
	s.left = s.left[1:]
	switch {
	case v == line.OtherBaud && s.fruitless%2 == 0:
		s.left = slices.DeleteFunc(s.left, alike)
	case v == line.OtherParity:
		slices.SortStableFunc(s.left, func(a, b probe.Endpoint) int { return first(alike(a), alike(b)) })
	}
	if len(s.left) == 0 {
		s.fruitless++
	}
}

// broke is for a wire that could not be opened, or broke. One that is proved is opened again, as long as it is trusted;
// else the next has its turn. It tells if that one is to be tried at once: those of a round are, where they do not even open.
func (s *search) broke(opened bool, trust time.Duration) (atOnce bool) {
	if s.alone || len(s.left) == 0 || s.proved && time.Since(s.last) < trust {
		return false
	}
	s.next(line.Silent)
	return !opened && len(s.left) > 0
}

// patience is how long the endpoint in use may go without a sound telegram, 0 for ever, and how long while not a single byte
// comes. A silent line is silent at every setting: from the second round on the endpoint that worked is then tried for as long
// as the silence has lasted, which is most of the time. So a meter that speaks once an hour is not missed. The only endpoint is
// opened again, in the same way: a reader may be silent on one connection for ever, and speak on the next.
func (s *search) patience(trust time.Duration) (patience, silent time.Duration) {
	since := time.Since(s.last)
	switch {
	case s.source.Recorded:
		return 0, 0
	case s.alone:
		since = time.Since(later(s.last, s.began))
		if patience = max(trust-since, dwell); since >= trust {
			patience = min(since, max(trust, rarely))
		}
		return patience, patience
	case s.proved:
		patience = max(trust-since, dwell)
		return patience, patience
	case s.left[0].Is(s.worked) && s.fruitless > 0:
		return dwell, min(since, longestStay)
	}
	return dwell, dwell
}
