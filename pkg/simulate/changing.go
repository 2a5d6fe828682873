package simulate

import (
	"fmt"
	"time"
)

// media are the meters of other things, read in thousandths of their unit.
var media = map[string]func(*State) int64{
	"gas":      func(s *State) int64 { return s.Gas },
	"hour gas": func(s *State) int64 { return s.HourGas },
	"water":    func(s *State) int64 { return s.Water },
	"heat":     func(s *State) int64 { return s.Heat },
	"failures": func(s *State) int64 { return s.Failures },
	"long":     func(s *State) int64 { return s.LongFailures },
	"tariff":   func(s *State) int64 { return s.Tariff },
}

// changing are texts that change.
var changing = map[string]func(dst []byte, z zone, s *State) []byte{
	"clock": func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.Time) },
	// hour is when the meters of other things were read that are read once an hour; five, each five minutes.
	"hour":     func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.Hour) },
	"hour old": func(dst []byte, z zone, s *State) []byte { d := stamp(dst, z, s.Hour); return d[:len(d)-1] },
	"five":     func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.Five) },
	"peak":     func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.Peaks[0].At) },
	"months":   months,
	// time, date and long are other ways to write a clock.
	"time": func(dst []byte, z zone, s *State) []byte { return append(dst, layout(z, s.Time, "150405")...) },
	"date": func(dst []byte, z zone, s *State) []byte { return append(dst, layout(z, s.Time, "060102")...) },
	"long clock": func(dst []byte, z zone, s *State) []byte {
		return append(dst, layout(z, s.Time, "20060102 15:04:05")...)
	},
	"now": func(dst []byte, z zone, s *State) []byte { return append(dst, layout(z, s.Time, "060102150405")...) },
}

// stamp writes YYMMDDhhmmss and W or S, the letters of Central Europe for any zone.
func stamp(dst []byte, z zone, t time.Time) []byte {
	letter := byte('W')
	if z.offset(t) != z.normal {
		letter = 'S'
	}
	return append(append(dst, layout(z, t, "060102150405")...), letter)
}

func layout(z zone, t time.Time, as string) string {
	return t.UTC().Add(time.Duration(z.offset(t)) * time.Minute).Format(as)
}

// months writes the peaks of the months before this one as Fluvius has them: when each month ended, when its peak was, and
// how high.
func months(dst []byte, z zone, s *State) []byte {
	dst = fmt.Appendf(dst, "%d)(1-0:1.6.0)(1-0:1.6.0", len(s.Peaks)-1)
	for _, p := range s.Peaks[1:] {
		end := monthOf(p.At).AddDate(0, 1, 0)
		dst = stamp(append(dst, ")("...), z, end.Add(-time.Duration(z.offset(end))*time.Minute))
		dst = stamp(append(dst, ")("...), z, p.At)
		dst = fmt.Appendf(dst, ")(%02d.%03d*kW", p.Watts/1000, p.Watts%1000)
	}
	return dst
}
