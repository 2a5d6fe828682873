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

// telegrams has the lists of DLMS meters in files .list (see listEncoder), and the telegrams of ASCII meters in files .txt. A .txt file
// contains a telegram up to its '!', with variables in braces:
//
//	/{ident}               the identification, in a file that several families use
//	1-0:1.8.1({6.3}*kWh)   the register with the code of the line, as six digits, a point and three decimals
//	1-0:31.7.0({-3.1}*A)   with a minus sign if the number is negative: see numberFormat.signed
//	0-0:1.0.0({clock})     a name of namedTexts
//	({5.3 gas}*m3)         a name of namedNumbers, as five digits, a point and three decimals
//
//go:embed telegrams
var telegrams embed.FS

// An asciiTelegram is the telegram of an ASCII meter.
type asciiTelegram struct {
	// file is the name of the file in telegrams, without .txt. ident replaces {ident} in the file.
	file, ident string
	zone        zone
	checksum    checksum
	// tariff1IsDay is true in Belgium, where tariff 1 is the day tariff.
	tariff1IsDay bool
	// ratio is the ratio of the current transformers; 0 means 1.
	ratio int64
}

// A checksum says how the checksum after the '!' is written.
type checksum int

const (
	upperCaseChecksum checksum = iota
	lowerCaseChecksum
	withoutChecksum
)

// telegram returns the encoder of a telegram with a checksum. The meter's clock is in zone z.
func (z zone) telegram(file, ident string) encoder {
	return asciiTelegram{file: file, ident: ident, zone: z}.encoder()
}

// A textPart is constant text and the variable that follows it.
type textPart struct {
	literal        string
	appendVariable func(dst []byte, s *State) []byte
}

// encoder parses the file and returns its encoder. It panics at an error, because the file is part of the program.
func (t asciiTelegram) encoder() encoder {
	parts := t.split()
	return func(dst []byte, s *State) []byte {
		shown := *s
		if t.tariff1IsDay {
			shown.Tariff = 3 - s.Tariff // swaps 1 and 2
			shown.TariffEnergies[0], shown.TariffEnergies[1] = s.TariffEnergies[1], s.TariffEnergies[0]
		}
		start := len(dst)
		for i := range parts {
			dst = append(dst, parts[i].literal...)
			if parts[i].appendVariable != nil {
				dst = parts[i].appendVariable(dst, &shown)
			}
		}
		if t.checksum == withoutChecksum {
			return append(dst, "\r\n"...)
		}
		end := len(dst)
		dst = p1.Append(dst[:start], dst[start:]) // appends the checksum in place
		if t.checksum == lowerCaseChecksum {
			copy(dst[end:], bytes.ToLower(dst[end:]))
		}
		return dst
	}
}

// split cuts the text at its braces. The last part ends with the '!' and has no variable.
func (t asciiTelegram) split() []textPart {
	file := must(telegrams.ReadFile("telegrams/" + t.file + ".txt"))
	rest := strings.NewReplacer("{ident}", t.ident, "\n", "\r\n").Replace(strings.TrimSuffix(string(file), "\n"))
	if !strings.HasSuffix(rest, "\r\n!") {
		panic("simulate: no telegram with an end in " + t.file)
	}
	var parts []textPart
	line := "" // the beginning of the line of a variable
	for {
		before, after, found := strings.Cut(rest, "{")
		if i := strings.LastIndexByte(before, '\n'); i >= 0 {
			line = before[i+1:]
		}
		if !found {
			return append(parts, textPart{literal: before})
		}
		name, suffix, _ := strings.Cut(after, "}")
		parts = append(parts, textPart{before, t.variable(name, line, suffix)})
		rest = suffix
	}
}

// variable returns the encoder of a variable. name is the text in its braces: a name of namedTexts, or a number format, which
// a name of namedNumbers can follow. line is the beginning of the variable's line, suffix is the text after the braces.
func (t asciiTelegram) variable(name, line, suffix string) func([]byte, *State) []byte {
	if write := namedTexts[name]; write != nil {
		return func(dst []byte, s *State) []byte { return write(dst, t.zone, s) }
	}
	layout, signed := strings.CutPrefix(name, "-") // such as "-3.1"
	valueName, layout := cutLast(layout, ' ')
	digitsText, decimalsText, _ := strings.Cut(layout, ".")
	digits, err := strconv.Atoi(digitsText)
	decimals, _ := strconv.Atoi(decimalsText) // 0 if there is no point
	if err != nil {
		panic("simulate: {" + name + "} in a text")
	}
	format := numberFormat{digits: digits, decimals: decimals, signed: signed, value: namedNumbers[valueName]}
	if format.value == nil { // the register with the code of the line
		c, _, _ := strings.Cut(line, "(")
		c, _, _ = strings.Cut(c, "*") // group F, which is always 255
		format.value = t.registerReader(obis.MustCode(c), -int8(decimals), signed, strings.HasPrefix(suffix, "*k"))
	}
	return format.append
}

// registerReader returns a function that reads a register in units of 10^exp. If kilo is true, the unit has the prefix k.
func (t asciiTelegram) registerReader(c obis.Code, exp int8, signed, kilo bool) func(*State) int64 {
	if kilo {
		exp += 3
	}
	if isImportPower := c[2]%20 == 1 && c[3] == instantaneous; signed && isImportPower {
		c[2] += netPower - 1 // the net power, which is negative if power is exported
	}
	return func(s *State) int64 { return s.scaledValue(c, exp, max(t.ratio, 1)).Coef }
}

// cutLast cuts s at the last byte by. If s does not contain by, before is empty and after is s.
func cutLast(s string, by byte) (before, after string) {
	i := strings.LastIndexByte(s, by)
	return s[:max(i, 0)], s[i+1:]
}

// A numberFormat appends a number with a fixed count of digits.
type numberFormat struct {
	digits, decimals int // before and after the point
	// signed is true for a meter that writes the minus sign of a negative number, as an additional character.
	signed bool
	value  func(*State) int64 // in units of the last digit
}

func (f numberFormat) append(dst []byte, s *State) []byte {
	v := f.value(s)
	if v < 0 {
		if v = -v; f.signed {
			dst = append(dst, '-')
		}
	}
	one := power10(int8(f.decimals)) // the number 1 in units of the last digit
	dst = fmt.Appendf(dst, "%0*d", f.digits, v/one)
	if f.decimals > 0 {
		dst = fmt.Appendf(dst, ".%0*d", f.decimals, v%one)
	}
	return dst
}

// namedNumbers are values that the code of a line does not give. Gas, water and heat are in thousandths of their unit.
var namedNumbers = map[string]func(*State) int64{
	"gas":      func(s *State) int64 { return s.Gas },
	"hour gas": func(s *State) int64 { return s.HourGas },
	"water":    func(s *State) int64 { return s.Water },
	"heat":     func(s *State) int64 { return s.Heat },
	"failures": func(s *State) int64 { return s.Failures },
	"long":     func(s *State) int64 { return s.LongFailures },
	"tariff":   func(s *State) int64 { return s.Tariff },
}

// namedTexts are variables that are not numbers.
var namedTexts = map[string]func(dst []byte, z zone, s *State) []byte{
	"clock": func(dst []byte, z zone, s *State) []byte { return appendStamp(dst, z, s.Time) },
	// "hour", "hour old" and "five" are the times at which gas, water and heat meters were read. "hour old" has no letter for summer time, as in
	// DSMR 2.2. "peak" is the time of the peak of this month.
	"hour":     func(dst []byte, z zone, s *State) []byte { return appendStamp(dst, z, s.Hour) },
	"hour old": func(dst []byte, z zone, s *State) []byte { d := appendStamp(dst, z, s.Hour); return d[:len(d)-1] },
	"five":     func(dst []byte, z zone, s *State) []byte { return appendStamp(dst, z, s.MediaTime) },
	"peak":     func(dst []byte, z zone, s *State) []byte { return appendStamp(dst, z, s.Peaks[0].At) },
	"months":   appendMonthPeaks,
	// "filling" is the text that Sanxing sends if no message was ever set.
	"filling": func(dst []byte, _ zone, _ *State) []byte { return append(dst, bytes.Repeat([]byte{0xFF}, 1024)...) },
	// The following names are other formats of the clock.
	"time": func(dst []byte, z zone, s *State) []byte { return append(dst, formatTime(z, s.Time, "150405")...) },
	"date": func(dst []byte, z zone, s *State) []byte { return append(dst, formatTime(z, s.Time, "060102")...) },
	"long clock": func(dst []byte, z zone, s *State) []byte {
		return append(dst, formatTime(z, s.Time, "20060102 15:04:05")...)
	},
	"now": func(dst []byte, z zone, s *State) []byte {
		return append(dst, formatTime(z, s.Time, "060102150405")...)
	},
}

// appendStamp appends YYMMDDhhmmss and W for standard time or S for summer time. Meters of all zones write W and S.
func appendStamp(dst []byte, z zone, t time.Time) []byte {
	letter := byte('W')
	if z.offset(t) != z.standardOffset {
		letter = 'S'
	}
	return append(append(dst, formatTime(z, t, "060102150405")...), letter)
}

// formatTime formats t in zone z, as time.Time.Format does.
func formatTime(z zone, t time.Time, layout string) string {
	return t.UTC().Add(time.Duration(z.offset(t)) * time.Minute).Format(layout)
}

// appendMonthPeaks appends the peaks of earlier months in the format of Fluvius: for each month its end, the time of the peak and the power.
// The parentheses before the first value and after the last value are in the file.
func appendMonthPeaks(dst []byte, z zone, s *State) []byte {
	dst = fmt.Appendf(dst, "%d)(1-0:1.6.0)(1-0:1.6.0", len(s.Peaks)-1)
	for _, p := range s.Peaks[1:] {
		end := monthOf(p.At).AddDate(0, 1, 0)
		dst = appendStamp(append(dst, ")("...), z, end.Add(-time.Duration(z.offset(end))*time.Minute))
		dst = appendStamp(append(dst, ")("...), z, p.At)
		dst = fmt.Appendf(dst, ")(%02d.%03d*kW", p.Watts/1000, p.Watts%1000)
	}
	return dst
}
