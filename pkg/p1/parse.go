package p1

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Telegram is a parsed telegram. Its fields belong to the bytes it was parsed from, and are valid as long as those.
type Telegram struct {
	// Ident is the identification line without its '/': "ADN9 6534".
	Ident []byte
	// Checked tells that the telegram carried a checksum, and that it was right.
	Checked bool
	// Records are the data lines in the meter's order. A code with several values keeps them all in Text, in their
	// parentheses, except a stamp beside a number.
	Records []obis.Record

	known [knownLines]lineStart // of the telegram before
}

// Faults of a telegram that have nothing to add.
var (
	errEnd      = errors.New("p1: no '!' at the end: cut, or run into the next telegram")
	errChecksum = errors.New("p1: what follows the '!' is not a checksum of four hexadecimal digits")
	errLong     = fmt.Errorf("p1: no end after %d bytes", MaxLength)
	errIdent    = errors.New("p1: no identification line")
	errEmpty    = errors.New("p1: no data in a telegram without checksum")
	errCiphered = errors.New("p1: the telegram is ciphered")
)

// Parse reads a telegram as Split delimits it. The Telegram's own slice of records is used again, so that nothing is
// allocated once it has grown. The checksum is verified before anything else is read; a telegram that carries none is
// accepted when every line of it is well formed. After an error the Telegram holds nothing.
func (t *Telegram) Parse(b []byte) error { return t.parse(b, false) }

// ParseUnchecked is Parse for the few meters that send a wrong checksum: a telegram whose checksum is not right is read like
// one that has none. Checked is true only where it is right.
func (t *Telegram) ParseUnchecked(b []byte) error { return t.parse(b, true) }

func (t *Telegram) parse(b []byte, unchecked bool) error {
	t.Ident, t.Checked, t.Records = nil, false, t.Records[:0]
	body, checked, err := verify(b)
	if err != nil {
		if _, _, ok := Ciphered(b); ok {
			return errCiphered
		}
		if !unchecked || body == nil {
			return err
		}
	}
	end := bytes.IndexByte(body, '\n')
	if end < 1 || body[0] != '/' {
		return errIdent
	}
	ident := bytes.TrimRight(body[1:end], "\r\n")
	for rest := body[end+1:]; len(rest) > 0; {
		n, ok := t.parseLine(rest)
		if !ok && !checked {
			return t.malformed(body[:len(body)-len(rest)])
		}
		rest = rest[n:]
	}
	if len(t.Records) == 0 && !checked {
		return errEmpty
	}
	if !checked && !named(ident) {
		t.Records = t.Records[:0]
		return errIdent
	}
	t.Ident, t.Checked = ident, checked
	return nil
}

// named tells if an identification line begins with the three letters of a maker (IEC 62056-21, 6.3.2). Where no checksum
// vouches for it, noise before a telegram must not become a part of it.
func named(ident []byte) bool {
	for _, x := range ident[:min(3, len(ident))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(ident) > 3
}

// malformed is the error for the line behind before, in a telegram that no checksum vouches for.
func (t *Telegram) malformed(before []byte) error {
	t.Records = t.Records[:0]
	return fmt.Errorf("p1: line %d is malformed, in a telegram without checksum", 1+bytes.Count(before, []byte("\n")))
}

// verify returns what stands between '/' and '!', and whether a checksum vouches for it. With the error of a checksum that
// is not right the body is given too.
func verify(b []byte) (body []byte, checked bool, err error) {
	i := bytes.LastIndexByte(b, '!')
	if i < 1 || b[i-1] != '\n' {
		if len(b) >= MaxLength {
			return nil, false, errLong
		}
		return nil, false, errEnd
	}
	sum := bytes.TrimRight(b[i+1:], "\r\n")
	if len(sum) == 0 && i+1 < len(b) {
		return b[:i], false, nil
	}
	got, ok := readChecksum(sum)
	if !ok {
		return b[:i], false, errChecksum
	}
	if want := Checksum(b[:i+1]); want != got {
		return b[:i], false, fmt.Errorf("p1: checksum: want %04X, got %04X", want, got)
	}
	return b[:i], true, nil
}

// readChecksum reads four hexadecimal digits.
func readChecksum(b []byte) (sum uint16, ok bool) {
	if len(b) != 4 {
		return 0, false
	}
	for _, x := range b {
		if !isHex(x) {
			return 0, false
		}
		digit := x & 0x0F
		if x > '9' {
			digit += 9
		}
		sum = sum<<4 | uint16(digit)
	}
	return sum, true
}

// parseLine appends the record of the line at the start of b and returns the line's length with its end. A line that
// holds no code and value gives no record and false; an empty one is well formed.
func (t *Telegram) parseLine(b []byte) (n int, ok bool) {
	if isLineEnd(b[0]) {
		return 1, true
	}
	code, i := t.readCode(len(t.Records), b)
	if i > 0 && i < len(b) && b[i] == '(' {
		t.Records = append(t.Records, obis.Record{Code: code})
		if n := usual(&t.Records[len(t.Records)-1], b[i:]); n > 0 {
			return i + n, true
		}
		t.Records = t.Records[:len(t.Records)-1]
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b) - 1
	}
	n = end + 1
	for end >= 0 && isLineEnd(b[end]) {
		end--
	}
	if end <= i || b[i] != '(' || b[end] != ')' {
		return n, false
	}
	if i == 0 {
		return n, t.secondLine(b[:end+1])
	}
	t.Records = append(t.Records, obis.Record{Code: code})
	parseValue(&t.Records[len(t.Records)-1], b[i:end+1])
	return n, true
}
