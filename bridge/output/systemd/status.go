package systemd

import (
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// status is what `systemctl status` shows of the meters.
type status struct {
	meters map[string]meter // by id
	online int              // of them
	spoken bool             // one of them was online

	stuck   []string // a sentence for each part that is stuck
	changed bool     // a meter came or went, or a part is stuck or no longer so
	newer   bool     // something else is new
	told    time.Time
}

type meter struct {
	online    bool
	telegrams uint64
}

// statusEvery is how often a status is told that differs in its counts alone.
const statusEvery = time.Minute

// add takes what is new of one meter.
func (s *status) add(n *bridge.MeterUpdate) {
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

// found takes which parts are stuck.
func (s *status) found(stuck []string) {
	s.changed = s.changed || len(stuck) != len(s.stuck)
	s.stuck = stuck
}

// due tells whether the status is to be told now, and counts as told if so.
func (s *status) due(now time.Time) bool {
	if !s.changed && (!s.newer || now.Sub(s.told) < statusEvery) {
		return false
	}
	s.changed, s.newer, s.told = false, false, now
	return true
}

// String returns one line.
func (s *status) String() string {
	if len(s.stuck) > 0 {
		return strings.Join(s.stuck, "; ")
	}
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
