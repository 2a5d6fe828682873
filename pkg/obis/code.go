// Package obis holds the parts of a meter's telegram that are the same in every framing: OBIS codes, which say what was measured
// (IEC 62056-61), exact decimal numbers, units (IEC 62056-6-2, table 4), times, and the Record that joins them.
//
// Numbers are exact: there is no floating point. All types are values. Only the Text of a Record refers to memory of others. All functions
// are safe for concurrent use.
package obis

import (
	"errors"
	"strconv"
)

// A Code is an OBIS code, groups A to F (IEC 62056-61): medium, channel, quantity, kind of measurement, tariff, billing period. It is
// comparable. If the meter left out group F, it is Any.
type Code [6]byte

// Any is the number 255: a group that is not used. As group F it means the current value; other numbers are past billing periods.
const Any = 255

var errCode = errors.New("obis: not a code of the form A-B:C.D.E, C.D.E or C.D, with or without *F")

// ParseCode reads a code in the forms that ReadCode reads. It fails if text is not a code, or has anything before or after it.
func ParseCode(text string) (Code, error) {
	c, n := ReadCode([]byte(text))
	if n == 0 || n != len(text) {
		return Code{}, errCode
	}
	return c, nil
}

// MustCode is ParseCode for constants in a program: it panics if text is not a code.
func MustCode(text string) Code {
	c, err := ParseCode(text)
	if err != nil {
		panic(err.Error() + ": " + text)
	}
	return c
}

// ReadCode reads the code at the start of b and returns it with its length in bytes; the length is 0 if b does not begin with a code.
// The forms are "A-B:C.D.E", "A-B:C.D.E*F" and "A-B:C.D.E.F". Readouts of IEC 62056-21 leave out "A-B:", which then is 1-0, and may also
// leave out E, which then is 0. If F is left out, it is Any.
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

// readGroup reads a number from 0 to 255, of up to three digits, at the start of b. n is its length in bytes, 0 if there is none.
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

// String returns the code as "A-B:C.D.E", followed by "*F" unless F is Any.
func (c Code) String() string { return string(c.Append(nil)) }

// Append appends the code to dst in the form of String, and returns the result.
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

// CDE returns groups C, D and E, which say what was measured: the code without medium, channel and billing period.
func (c Code) CDE() [3]byte { return [3]byte{c[2], c[3], c[4]} }

// IsClock reports whether the code is that of the meter's clock: 0-b:1.0.0 (IEC 62056-6-2; Kamstrup sends it on channel 1) or 0-b:1.1.0
// (heat meters). A code with a billing period in group F is not.
func (c Code) IsClock() bool { return c[0] == 0 && c[2] == 1 && c[3] <= 1 && c[4] == 0 && c[5] == Any }
