// Package obis holds the parts of a meter's telegram that are the same in every framing: OBIS codes, which say what was measured
// (IEC 62056-61), exact decimal numbers, units (IEC 62056-6-2, table 4), times, and the Record that joins them.
//
// Numbers are exact, because there is no floating point. Copies of a value are independent, except that the Text of a Record refers to the
// memory of the telegram. All functions are safe for concurrent use.
package obis

import (
	"errors"
	"strconv"
)

// A Code is an OBIS code, groups A to F (IEC 62056-61): medium, channel, quantity, kind of measurement, tariff, billing period. If the
// meter does not send group F, group F is Any.
type Code [6]byte

// Any is the number 255, which means that a group is not used. If group F of a code is Any, the code is of the current value. Other numbers in
// group F are past billing periods.
const Any = 255

var errCode = errors.New("obis: not a code of the form A-B:C.D.E, C.D.E or C.D, with or without *F")

// ParseCode reads a code in the forms that ReadCode reads. It returns an error if text is anything but one code.
func ParseCode(text string) (Code, error) {
	c, n := ReadCode([]byte(text))
	if n == 0 || n != len(text) {
		return Code{}, errCode
	}
	return c, nil
}

// MustCode is ParseCode for constants in a program. It panics if text is not a code.
func MustCode(text string) Code {
	c, err := ParseCode(text)
	if err != nil {
		panic(err.Error() + ": " + text)
	}
	return c
}

// ReadCode returns the code at the start of b, and the length of the code in bytes. The length is 0 if b does not begin with a code.
// The forms are "A-B:C.D.E", "A-B:C.D.E*F" and "A-B:C.D.E.F". Readouts of IEC 62056-21 have no "A-B:", and ReadCode then sets 1-0.
// Some of these readouts also have no E, and ReadCode then sets 0. If there is no F, ReadCode sets Any.
func ReadCode(b []byte) (Code, int) {
	c := Code{1, 0, 0, 0, 0, Any}
	group, hasAB := 2, false // begin at group C, unless a '-' shows that the first number is group A
	for at := 0; ; at++ {
		v, n := readGroup(b[at:])
		if n == 0 {
			return Code{}, 0
		}
		isFirst := at == 0
		at += n
		next := byte(0)
		if at < len(b) {
			next = b[at]
		}
		if isFirst && next == '-' {
			group, hasAB = 0, true
		}
		c[group] = v
		canOmitE := group == 3 && !hasAB
		switch {
		case group < 2 && next == separators[group]: // B or C follows
		case group >= 2 && group < 5 && next == '.': // D, E or F follows
		case next == '*' && (group == 4 || canOmitE): // F follows
			group = 4 // the increment below makes it 5, group F, even if E was omitted
		case group >= 4 || canOmitE:
			return c, at
		default:
			return Code{}, 0
		}
		group++
	}
}

// readGroup reads a number from 0 to 255, of up to three digits, at the start of b. n is the length of the number in bytes. n is 0 if
// there is no such number.
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

// separators has the separator after each of the groups A to E.
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

// CDE returns groups C, D and E, which say what was measured.
func (c Code) CDE() [3]byte { return [3]byte{c[2], c[3], c[4]} }

// IsClock reports whether c is the code of the meter's clock, without a billing period: 0-b:1.0.0 (IEC 62056-6-2) or, for heat meters,
// 0-b:1.1.0. b is any channel, because Kamstrup sends the clock on channel 1.
func (c Code) IsClock() bool { return c[0] == 0 && c[2] == 1 && c[3] <= 1 && c[4] == 0 && c[5] == Any }
