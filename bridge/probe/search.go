package probe

import (
	"errors"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// search decides which endpoint is read next: in rounds over all of them, until one has given a telegram whose checksum is right. The
// one that has worked is tried first from then on.
type search struct {
	source Source
	Options
	left  []Endpoint // of this round; the first is in use
	alone bool       // there is nothing else to try

	proved bool      // the one in use has given a sound telegram
	last   time.Time // of the last sound telegram, or the start if an earlier run had one; zero if none
	began  time.Time

	// fruitless is how many rounds are over since then.
	fruitless int
}

const (
	// Dwell is how long an endpoint may take to give a telegram before the next is tried: the slowest meters send every 10 s.
	Dwell = 12 * time.Second
	// LongestInterval is the longest time between two telegrams that is expected of a meter: some send once an hour.
	LongestInterval = 70 * time.Minute
	// longestReopen is the longest time after which a silent wire is opened again if it is the only endpoint. It is longer only for a
	// meter that sends so seldom that six of its intervals take more than ten minutes.
	longestReopen = 10 * time.Minute
)

func newSearch(s Source, o Options) search {
	n := search{source: s, Options: o, began: time.Now()}
	if n.Dwell == 0 {
		n.Dwell = Dwell
	}
	if o.LastProved.Port != "" {
		n.last = n.began // whatever silence there is begins here
	}
	return n
}

// endpoint returns the one to read. It begins a round if none is left.
func (s *search) endpoint() (Endpoint, error) {
	if len(s.left) == 0 {
		all, err := s.source.Endpoints()
		if err != nil {
			return Endpoint{}, err
		}
		if len(all) == 0 {
			return Endpoint{}, errors.New("no port and no line setting to try")
		}
		s.left = slices.Clone(all)
		s.alone = len(all) == 1 && !s.source.EndpointsChange
		s.prefer(func(e Endpoint) bool { return e.Same(s.LastProved) })
	}
	return s.left[0], nil
}

// prefer moves the endpoints of this round that are preferred before the others.
func (s *search) prefer(preferred func(Endpoint) bool) {
	all := slices.Clone(s.left)
	first := slices.DeleteFunc(s.left, func(e Endpoint) bool { return !preferred(e) })
	s.left = append(first, slices.DeleteFunc(all, preferred)...)
}

// prove notes that the endpoint in use has given a sound telegram.
func (s *search) prove() {
	s.LastProved, s.proved, s.last, s.fruitless = s.left[0], true, time.Now(), 0
}

// next gives up the endpoint in use, on which the bytes looked like v. If they say that the speed is wrong, other settings of that speed
// are passed over; in every second round they are not, since bytes may mislead, and never in a search that asks each once.
func (s *search) next(v line.Verdict) {
	tried := s.left[0]
	if s.proved {
		s.proved, s.left = false, nil
		return
	}
	sameSpeed := func(e Endpoint) bool { return e.Port == tried.Port && e.Baud == tried.Baud && e.Baud > 0 }
	s.left = s.left[1:]
	switch {
	case v == line.OtherBaud && s.fruitless%2 == 0 && !s.SinglePass:
		s.left = slices.DeleteFunc(s.left, sameSpeed)
	case v == line.OtherParity:
		s.prefer(sameSpeed)
	}
	if len(s.left) == 0 {
		s.fruitless++
	}
}

// broke is for a wire that could not be opened, or broke. One that is proved is opened again, as long as it is trusted; else the next
// has its turn. It reports whether that one is to be tried at once: those of a round are, if they do not even open.
func (s *search) broke(opened bool) (atOnce bool) {
	if s.alone || len(s.left) == 0 || s.proved && (s.ProvedTimeout == nil || time.Since(s.last) < s.ProvedTimeout()) {
		return false
	}
	s.next(line.Silent)
	return !opened && len(s.left) > 0
}

// patience returns how long the endpoint in use may go without a sound telegram, 0 for ever, and how long while not a single byte
// comes. A silent line is silent at every setting: from the second round on the endpoint that worked is then tried for as long as the
// silence has lasted, which is most of the time. So a meter that sends once an hour is not missed. The only endpoint is opened again, in
// the same way: a reader may be silent on one connection for ever, and send on the next.
func (s *search) patience() (patience, silent time.Duration) {
	since := time.Since(s.last)
	switch {
	case s.source.Recorded || s.ProvedTimeout == nil && (s.proved || s.alone):
		return 0, 0
	case s.alone && !s.SinglePass:
		trust := s.ProvedTimeout()
		if s.last.Before(s.began) {
			since = time.Since(s.began)
		}
		if patience = max(trust-since, s.Dwell); since >= trust {
			patience = min(since, max(trust, longestReopen))
		}
		return patience, patience
	case s.proved:
		patience = max(s.ProvedTimeout()-since, s.Dwell)
		return patience, patience
	case s.left[0].Same(s.LastProved) && s.fruitless > 0:
		return s.Dwell, min(since, LongestInterval)
	}
	return s.Dwell, s.Dwell
}
