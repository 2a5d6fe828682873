package systemd

import (
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// status is the status line that `systemctl status` shows.
type status struct {
	meters     map[string]meter // by id; nil until the first update
	online     int              // the number of meters that are online
	everOnline bool             // a meter was online at least once

	stuck         []string  // a sentence for each part that is stuck
	mustSend      bool      // due now: after the first update, or if a meter went online or offline, or if the number of stuck parts changed
	countsChanged bool      // a count of telegrams has changed since the last status
	lastSent      time.Time // when the status was last sent
}

// A meter has the facts about one meter from which the status is made.
type meter struct {
	online    bool
	telegrams uint64 // the number of telegrams since the start
}

// countsInterval is the shortest time between two statuses that differ only in their counts.
const countsInterval = time.Minute

// add changes the status according to an update of one meter.
func (s *status) add(u *bridge.MeterUpdate) {
	if s.meters == nil {
		s.meters, s.mustSend = map[string]meter{}, true
	}
	previous := s.meters[u.Meter.ID]
	s.meters[u.Meter.ID] = meter{u.Online, u.Stats.Telegrams}
	if u.Removed {
		delete(s.meters, u.Meter.ID)
		s.mustSend = true
	}
	s.countsChanged = s.countsChanged || u.Stats.Telegrams != previous.telegrams
	if u.Online == previous.online {
		return
	}
	s.mustSend = true
	if !u.Online {
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

// due reports whether the status must be sent now. If so, due records that the status is sent.
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
	meters := fmt.Sprintf("%d of %d meters online", s.online, len(s.meters))
	if len(s.meters) == 1 {
		meters = "meter online"
		if s.online == 0 {
			meters = "meter silent"
		}
	}
	return fmt.Sprintf("%s, telegrams: %d", meters, telegrams)
}
