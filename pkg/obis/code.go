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

var errCode = errors.New("obis: not a code of the form A-B:C.D.E, A-B:C.D.E*F or A-B:C.D.E.F")

// ParseCode reads "A-B:C.D.E", "A-B:C.D.E*F" or "A-B:C.D.E.F", each group a number from 0 to 255. A missing F is 255.
func ParseCode(text string) (Code, error) {
	c, n := ReadCode([]byte(text))
	if n == 0 || n != len(text) {
		return Code{}, errCode
	}
	return c, nil
}

// ReadCode reads a code at the start of b and returns how many bytes it takes, 0 when there is none. Some meters write a '.'
// before F too.
func ReadCode(b []byte) (Code, int) {
	var c Code
	c[5] = Any
	group, digits, v := 0, 0, 0
	for i := 0; ; i++ {
		var x byte
		if i < len(b) {
			x = b[i]
		}
		if d := x - '0'; d <= 9 {
			v = v*10 + int(d)
			digits++
			if digits > 3 || v > 255 {
				return Code{}, 0
			}
			continue
		}
		if digits == 0 {
			return Code{}, 0
		}
		c[group] = byte(v)
		if group == len(c)-1 || x != separators[group] && (group != len(c)-2 || x != '.') {
			if group < 4 {
				return Code{}, 0
			}
			return c, i
		}
		group, digits, v = group+1, 0, 0
	}
}

const separators = "-:..*"

// ReadShortCode reads a code without medium and channel at the start of b, as readouts of IEC 62056-21 have it: C.D or C.D.E,
// and *F or .F behind it. Such a code is one of medium 1, channel 0; a missing E is 0, a missing F is 255. It returns how many bytes the code
// takes, 0 when there is none.
func ReadShortCode(b []byte) (Code, int) {
	c := Code{1, 0, 0, 0, 0, Any}
	at := 0
	for group := 2; ; group++ {
		v, digits := 0, 0
		for ; at < len(b) && b[at]-'0' <= 9; at++ {
			v = v*10 + int(b[at]-'0')
			if digits++; digits > 3 || v > 255 {
				return Code{}, 0
			}
		}
		if digits == 0 {
			return Code{}, 0
		}
		c[group] = byte(v)
		switch {
		case at < len(b) && b[at] == '.' && group < len(c)-1:
		case at < len(b) && b[at] == '*' && (group == 3 || group == 4):
			group = 4
		case group < 3:
			return Code{}, 0
		default:
			return c, at
		}
		at++
	}
}

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
