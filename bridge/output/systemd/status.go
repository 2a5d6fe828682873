package systemd

import (
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// status is the status line that `systemctl status` shows.
type status struct {
	meters     map[string]meter // by id
	online     int              // the number of meters that are online
	everOnline bool             // a meter was online at least once

	stuck         []string // a sentence for each part that is stuck
	mustSend      bool     // a meter or a stuck part has changed, so the status is due at once
	countsChanged bool     // only counts have changed
	lastSent      time.Time
}

type meter struct {
	online    bool
	telegrams uint64
}

// countsInterval is the shortest time between two statuses that differ only in their counts.
const countsInterval = time.Minute

// add includes an update of one meter.
func (s *status) add(n *bridge.MeterUpdate) {
	if s.meters == nil {
		s.meters, s.mustSend = map[string]meter{}, true
	}
	before := s.meters[n.Meter.ID]
	s.meters[n.Meter.ID] = meter{n.Online, n.Stats.Telegrams}
	s.countsChanged = s.countsChanged || n.Stats.Telegrams != before.telegrams
	if n.Online == before.online {
		return
	}
	s.mustSend = true
	if !n.Online {
		s.online--
		return
	}
	s.online++
	s.everOnline = true
}

// setStuck sets the sentences about stuck parts.
func (s *status) setStuck(stuck []string) {
	s.mustSend = s.mustSend || len(stuck) != len(s.stuck)
	s.stuck = stuck
}

// due reports whether the status must be sent now. If so, it counts as sent.
func (s *status) due(now time.Time) bool {
	if !s.mustSend && (!s.countsChanged || now.Sub(s.lastSent) < countsInterval) {
		return false
	}
	s.mustSend, s.countsChanged, s.lastSent = false, false, now
	return true
}

// String returns the status as one line.
func (s *status) String() string {
	if len(s.stuck) > 0 {
		return strings.Join(s.stuck, "; ")
	}
	if !s.everOnline {
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
