package simulate

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// A clock is how a make fills the 12 bytes of a date-time.
type clock struct {
	zone
	// unspecified is for those that send no deviation, lying for those that send 0 in any zone.
	unspecified, lying bool
	// sundayZero is for Aidon, whose week begins with 0 on Sundays; others send 7.
	sundayZero bool
	// hundredths are FF or 0; status what is set beside 80 in summer, which flagged ones set.
	hundredths, status byte
	flagged            bool
}

func (c clock) at(t time.Time) dlms.DateTime {
	wall := c.clock(t)
	d := dlms.DateTime{Time: wall, Weekday: dlms.Weekday(wall), Hundredths: c.hundredths, Status: c.status}
	if d.Weekday == 7 && c.sundayZero {
		d.Weekday = 0
	}
	if c.flagged && wall.Offset != c.normal {
		d.Status |= 0x80
	}
	if c.unspecified {
		d.Zone = false
	}
	if c.lying {
		d.Offset = 0
	}
	return d
}

// field is the clock as an item; of says when.
func (c clock) field(of string) field {
	return field{code: code(of), class: 8, attribute: 2, write: func(dst []byte, s *State) []byte {
		return dlms.AppendDateTime(dst, c.at(s.Time))
	}}
}

// ofHour is the field of the last whole hour.
func (c clock) ofHour(of string) field {
	f := c.field(of)
	f.write = func(dst []byte, s *State) []byte { return dlms.AppendDateTime(dst, c.at(s.Hour)) }
	return f
}

// An invoke is the long-invoke-id-and-priority of a make, which some count up.
type invoke struct {
	id     uint32
	counts bool
}

func (i invoke) of(s *State) uint32 {
	if i.counts {
		return i.id | frameCounter(s)&0xFFFFFF
	}
	return i.id
}

// Heads of data-notifications: without a time, with one, and with one that is tagged.

func (i invoke) unstamped() func([]byte, *State) []byte {
	return func(dst []byte, s *State) []byte { return dlms.AppendNotification(dst, i.of(s)) }
}

func (i invoke) stamped(c clock) func([]byte, *State) []byte {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendStampedNotification(dst, i.of(s), c.at(s.Time), false)
	}
}

func (i invoke) tagged(c clock) func([]byte, *State) []byte {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendStampedNotification(dst, i.of(s), c.at(s.Time), true)
	}
}
