package systemd

import (
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// status is what `systemctl status` shows of the meters.
type status struct {
	meters map[string]meter // by id
	online int              // of them
	spoken bool             // one of them was online

	changed bool // a meter came or went
	newer   bool // something else is new
	told    time.Time
}

type meter struct {
	online    bool
	telegrams uint64
}

// statusEvery is how often a status is told that differs in its counts alone.
const statusEvery = time.Minute

// add takes what is new of one meter.
func (s *status) add(n *bridge.News) {
	if s.meters == nil {
		s.meters, s.changed = map[string]meter{}, true
	}
	before := s.meters[n.Meter.ID]
	s.meters[n.Meter.ID] = meter{n.Online, n.Stats.Telegrams}
	s.newer = s.newer || n.Stats.Telegrams != before.telegrams
	if n.Online == before.online {
		return
	}
	s.changed = true
	if !n.Online {
		s.online--
		return
	}
	s.online++
	s.spoken = true
}

// due tells whether the status is to be told now, and counts as told if so.
func (s *status) due(now time.Time) bool {
	if !s.changed && (!s.newer || now.Sub(s.told) < statusEvery) {
		return false
	}
	s.changed, s.newer, s.told = false, false, now
	return true
}

// String returns the sentence.
func (s *status) String() string {
	if !s.spoken {
		return "waiting for the first telegram"
	}
	var telegrams uint64
	for _, m := range s.meters {
		telegrams += m.telegrams
	}
	which := fmt.Sprintf("%d of %d meters online", s.online, len(s.meters))
	if len(s.meters) == 1 {
		which = "meter online"
		if s.online == 0 {
			which = "meter silent"
		}
	}
	return fmt.Sprintf("%s, telegrams: %d", which, telegrams)
}
