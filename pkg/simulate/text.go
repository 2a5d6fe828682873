package simulate

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// A text is the telegram of an ASCII meter, written as it stands on the wire, with what changes in braces:
//
//	1-0:1.8.1({6.3}*kWh)   the register of the line's code with six digits, a point and three decimals
//	0-0:1.0.0({clock})     a name in `changing`
type text struct {
	template string
	zone     zone
	sum      checksum
	// dayFirst is for Belgium, where tariff 1 is that of the day.
	dayFirst bool
	// ratio is that of the current transformers; 0 is 1.
	ratio int64
}

// A checksum is how one is written behind the '!'.
type checksum int

const (
	noSum checksum = iota
	upperSum
	lowerSum
)

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
			at.Tariffs[0], at.Tariffs[1] = s.Tariffs[1], s.Tariffs[0]
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

// parts cuts the template at its braces. The last one ends with the '!'.
func (t text) parts() []part {
	rest := strings.ReplaceAll(strings.TrimPrefix(t.template, "\n"), "\n", "\r\n")
	if !strings.HasSuffix(rest, "\r\n!") {
		panic("simulate: a text without an end: " + rest)
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
	w := writer{digits: n, decimals: m, signed: signed, ratio: max(t.ratio, 1), read: media[of]}
	if w.read == nil {
		c, _, _ := strings.Cut(line, "(")
		c, _, _ = strings.Cut(c, "*") // group F, which is always 255
		w.code = code(c)
		w.exp = -int8(m)
		if strings.HasPrefix(behind, "*k") {
			w.exp += 3
		}
		if signed && w.code[2]%20 == 1 && w.code[3] == instant {
			w.code[2] += netPower - 1 // below zero where power is exported
		}
	}
	return w.append
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
	code   obis.Code
	exp    int8 // of its last digit, in the unit without prefix
	ratio  int64
	// read is of a number without a code of its own, in thousandths.
	read func(*State) int64
}

func (w writer) append(dst []byte, s *State) []byte {
	var v int64
	if w.read != nil {
		v = w.read(s)
	} else {
		v = s.value(w.code, w.exp, w.ratio).Coef
	}
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
