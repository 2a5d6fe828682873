package simulate

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// telegrams hold what meters send: the lists of DLMS meters in files .list (see readList), and what ASCII meters send in files .txt, as it
// stands on the wire, with what changes in braces:
//
//	/{ident}               the identification line, where meters differ in that alone
//	1-0:1.8.1({6.3}*kWh)   the register of the line's code with six digits, a point and three decimals
//	0-0:1.0.0({clock})     a name in `changing`
//
//go:embed telegrams
var telegrams embed.FS

// A text is the telegram of an ASCII meter.
type text struct {
	// file is its name in telegrams, without .txt; ident what stands there for {ident}.
	file, ident string
	zone        zone
	sum         checksum
	// dayFirst is for Belgium, where tariff 1 is that of the day.
	dayFirst bool
	// ratio is that of the current transformers; 0 is 1.
	ratio int64
}

// A checksum is how one is written behind the '!'.
type checksum int

const (
	upperSum checksum = iota
	lowerSum
	noSum
)

// ascii is the encoder of a telegram with a checksum, of a meter whose clock is set to the zone.
func (z zone) ascii(file, ident string) encoder {
	return text{file: file, ident: ident, zone: z}.encoder()
}

// A part of a text is what stands there, and what changes behind it.
type part struct {
	literal string
	write   func(dst []byte, s *State) []byte
}

// encoder compiles the text; a fault in it is a programmer's, and panics.
func (t text) encoder() encoder {
	parts := t.parts()
	return func(dst []byte, s *State) []byte {
		at := *s
		if t.dayFirst {
			at.Tariff = 3 - s.Tariff
			at.TariffEnergies[0], at.TariffEnergies[1] = s.TariffEnergies[1], s.TariffEnergies[0]
		}
		start := len(dst)
		for i := range parts {
			dst = append(dst, parts[i].literal...)
			if parts[i].write != nil {
				dst = parts[i].write(dst, &at)
			}
		}
		if t.sum == noSum {
			return append(dst, "\r\n"...)
		}
		end := len(dst)
		dst = p1.Append(dst[:start], dst[start:])
		if t.sum == lowerSum {
			copy(dst[end:], bytes.ToLower(dst[end:]))
		}
		return dst
	}
}

// parts cuts the telegram at its braces. The last one ends with the '!'.
func (t text) parts() []part {
	file := must(telegrams.ReadFile("telegrams/" + t.file + ".txt"))
	rest := strings.NewReplacer("{ident}", t.ident, "\n", "\r\n").Replace(strings.TrimSuffix(string(file), "\n"))
	if !strings.HasSuffix(rest, "\r\n!") {
		panic("simulate: no telegram with an end in " + t.file)
	}
	var parts []part
	line := ""
	for {
		before, after, changes := strings.Cut(rest, "{")
		if i := strings.LastIndexByte(before, '\n'); i >= 0 {
			line = before[i+1:]
		}
		if !changes {
			return append(parts, part{literal: before})
		}
		name, behind, _ := strings.Cut(after, "}")
		parts = append(parts, part{before, t.change(name, line, behind)})
		rest = behind
	}
}

// change returns what writes a pair of braces, on a line that begins so.
func (t text) change(name, line, behind string) func([]byte, *State) []byte {
	if write := changing[name]; write != nil {
		return func(dst []byte, s *State) []byte { return write(dst, t.zone, s) }
	}
	layout, signed := strings.CutPrefix(name, "-")
	of, layout := cutLast(layout, ' ')
	digits, decimals, _ := strings.Cut(layout, ".")
	n, err := strconv.Atoi(digits)
	m, _ := strconv.Atoi(decimals)
	if err != nil {
		panic("simulate: {" + name + "} in a text")
	}
	w := writer{digits: n, decimals: m, signed: signed, read: media[of]}
	if w.read == nil {
		c, _, _ := strings.Cut(line, "(")
		c, _, _ = strings.Cut(c, "*") // group F, which is always 255
		w.read = t.register(obis.MustCode(c), -int8(m), signed, strings.HasPrefix(behind, "*k"))
	}
	return w.append
}

// register reads a register whose last digit is worth 10^exp of its unit, which may be one of thousands.
func (t text) register(c obis.Code, exp int8, signed, kilo bool) func(*State) int64 {
	if kilo {
		exp += 3
	}
	if signed && c[2]%20 == 1 && c[3] == instant {
		c[2] += netPower - 1 // below zero where power is exported
	}
	return func(s *State) int64 { return s.value(c, exp, max(t.ratio, 1)).Coef }
}

func cutLast(s string, by byte) (before, after string) {
	i := strings.LastIndexByte(s, by)
	return s[:max(i, 0)], s[i+1:]
}

// A writer writes a number in a fixed width.
type writer struct {
	digits, decimals int
	// signed writes a minus, which takes a place more; most meters leave it out.
	signed bool
	read   func(*State) int64 // in its last digit
}

func (w writer) append(dst []byte, s *State) []byte {
	v := w.read(s)
	if v < 0 {
		if v = -v; w.signed {
			dst = append(dst, '-')
		}
	}
	whole := power10(int8(w.decimals))
	dst = fmt.Appendf(dst, "%0*d", w.digits, v/whole)
	if w.decimals > 0 {
		dst = fmt.Appendf(dst, ".%0*d", w.decimals, v%whole)
	}
	return dst
}

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
	"five":     func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.MediaTime) },
	"peak":     func(dst []byte, z zone, s *State) []byte { return stamp(dst, z, s.Peaks[0].At) },
	"months":   months,
	// filling is what Sanxing sends for a message that was never set.
	"filling": func(dst []byte, _ zone, _ *State) []byte { return append(dst, bytes.Repeat([]byte{0xFF}, 1024)...) },
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

// months writes the peaks of the months before as Fluvius has them: when each month ended, when its peak was, and how high.
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
