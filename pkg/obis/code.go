// Package obis holds what every meter telegram is made of, whatever its framing: codes that say what was measured
// (IEC 62056-61), exact decimal numbers, units (IEC 62056-6-2, table 4), wall-clock times, and the Record that joins them.
//
// Nothing here uses floating point: a number is the same from the wire to the edge of the program.
package obis

import (
	"errors"
	"strconv"
)

// A Code is an OBIS code, groups A to F (IEC 62056-61). It is comparable. A group that the meter left out is 255.
type Code [6]byte

// Any is the value of a group that a meter left out. As group F it means "the current value", not one of the past.
const Any = 255

var errCode = errors.New("obis: not a code of the form A-B:C.D.E, C.D.E or C.D, with or without *F")

// ParseCode reads a whole text as ReadCode does.
func ParseCode(text string) (Code, error) {
	c, n := ReadCode([]byte(text))
	if n == 0 || n != len(text) {
		return Code{}, errCode
	}
	return c, nil
}

// MustCode is ParseCode for a text of the program. It panics where that is no code.
func MustCode(text string) Code {
	c, err := ParseCode(text)
	if err != nil {
		panic(err.Error() + ": " + text)
	}
	return c
}

// ReadCode reads a code at the start of b, "A-B:C.D.E", "A-B:C.D.E*F" or "A-B:C.D.E.F", and returns how many bytes it takes, 0 when there
// is none. A code without medium and channel is one of 1-0, and may leave out E too, which is 0 then: so readouts of IEC 62056-21 have it.
// A missing F is 255.
func ReadCode(b []byte) (Code, int) {
	c := Code{1, 0, 0, 0, 0, Any}
	group, full := 2, false
	for at := 0; ; at++ {
		v, n := readGroup(b[at:])
		if n == 0 {
			return Code{}, 0
		}
		first := at == 0
		at += n
		next := byte(0)
		if at < len(b) {
			next = b[at]
		}
		if first && next == '-' {
			group, full = 0, true
		}
		c[group] = v
		switch {
		case group < 2 && next == separators[group]:
		case group >= 2 && group < 5 && next == '.':
		case next == '*' && (group == 4 || group == 3 && !full):
			group = 4
		case group < 3, group == 3 && full:
			return Code{}, 0
		default:
			return c, at
		}
		group++
	}
}

// readGroup reads a number of up to three digits, 255 at most; n is how many bytes it takes, 0 for none.
func readGroup(b []byte) (v byte, n int) {
	number := 0
	for n < len(b) && b[n]-'0' <= 9 {
		number = number*10 + int(b[n]-'0')
		if n++; n > 3 || number > 255 {
			return 0, 0
		}
	}
	return byte(number), n
}

const separators = "-:..*"

// String returns the code as "A-B:C.D.E", with "*F" only where F is not 255.
func (c Code) String() string { return string(c.Append(nil)) }

// Append appends what String returns.
func (c Code) Append(dst []byte) []byte {
	for i, v := range c {
		if i == 5 && v == Any {
			break
		}
		if i > 0 {
			dst = append(dst, separators[i-1])
		}
		dst = strconv.AppendUint(dst, uint64(v), 10)
	}
	return dst
}

// CDE returns the three groups that say what was measured: the code without medium, channel and billing period.
func (c Code) CDE() [3]byte { return [3]byte{c[2], c[3], c[4]} }

// IsClock tells if the code names the meter's clock: 0-b:1.0.0 (IEC 62056-6-2; Kamstrup sends it on channel 1), or
// 0-b:1.1.0, where heat meters send theirs. With a group F it is one of the past.
func (c Code) IsClock() bool { return c[0] == 0 && c[2] == 1 && c[3] <= 1 && c[4] == 0 && c[5] == Any }
