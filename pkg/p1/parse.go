package p1

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Telegram is a parsed telegram. Its fields are parts of the slice from which it was parsed. The zero Telegram is ready to use. It is not
// safe for concurrent use.
type Telegram struct {
	// Ident is the identification line without its '/': "ADN9 6534".
	Ident []byte
	// Checked is true if the telegram has a correct checksum.
	Checked bool
	// Records are all data lines in the order of the telegram. A code with several values is one record, whose Text has all values in their
	// parentheses. There are two exceptions. A time stamp and a number are one Number. Several numbers with units are one record each.
	Records []obis.Record

	codeCache []cachedCode // codes of the previous telegram, at most cachedLines
}

// Parse reads b, which is one telegram of the length that Length returns, into t. It reuses the slice t.Records, so it allocates nothing once
// that slice is long enough. It verifies the checksum first. A telegram without a checksum is read only if every line is well formed. The
// error matches ErrChecksum, ErrTruncated, ErrMalformed or ErrEncrypted. After an error t is empty.
func (t *Telegram) Parse(b []byte) error { return t.parse(b, false) }

// Parse reads b, which is one telegram of the length that Length returns, into a new Telegram. It returns the errors of Telegram.Parse. To read
// many telegrams without allocating, use Telegram.Parse.
func Parse(b []byte) (*Telegram, error) {
	t := new(Telegram)
	if err := t.Parse(b); err != nil {
		return nil, err
	}
	return t, nil
}

// ParseUnchecked is Parse for the few meters that send a wrong checksum. If the checksum is wrong, the telegram is read as if it had no
// checksum, and Checked is false.
func (t *Telegram) ParseUnchecked(b []byte) error { return t.parse(b, true) }

func (t *Telegram) parse(b []byte, unchecked bool) error {
	t.Ident, t.Checked, t.Records = nil, false, t.Records[:0]
	body, checked, err := verifyChecksum(b)
	if err != nil {
		if _, _, ok := SplitEncrypted(b); ok {
			return ErrEncrypted
		}
		if !unchecked || body == nil {
			return err
		}
	}
	end := bytes.IndexByte(body, '\n')
	if end < 1 || body[0] != '/' {
		return errNoIdent
	}
	ident := bytes.TrimRight(body[1:end], "\r\n")
	if !checked {
		if i := indexForbidden(body); i >= 0 {
			return t.malformed(body[:i])
		}
	}
	if t.Records == nil { // the records of later telegrams usually fit too
		t.Records = make([]obis.Record, 0, min(bytes.Count(body, []byte("\n")), cachedLines))
	}
	for rest := body[end+1:]; len(rest) > 0; {
		n, ok := t.parseLine(rest)
		if !ok && !checked {
			return t.malformed(body[:len(body)-len(rest)])
		}
		rest = rest[n:]
	}
	if !checked {
		if err := t.checkUnchecked(ident, body, len(body)+1 == len(b)); err != nil {
			t.Records = t.Records[:0]
			return err
		}
	}
	t.Ident, t.Checked = ident, checked
	return nil
}

// checkUnchecked returns an error if a telegram without a checksum must not be used, although its lines have the right form. endsAtBang is
// true if the '!' is the last byte. Only meters of DSMR 2.2 end a telegram like that, and their time stamps have no letter for summer time. If
// a time stamp has a letter, the checksum was cut off.
func (t *Telegram) checkUnchecked(ident, body []byte, endsAtBang bool) error {
	hasCode := false
	for i := range t.Records {
		r := &t.Records[i]
		hasCode = hasCode || r.Kind != obis.Line
		if endsAtBang && r.Time.Zone {
			return errNoChecksum
		}
		if r.Kind == obis.Text && !isWellFormed(r) || r.Kind == obis.Line && !isWellFormedLine(r) {
			// r.Text is a part of body, so the capacities of both end at the same byte. Their difference is the index of r.Text in body.
			return t.malformed(body[:cap(body)-cap(r.Text)])
		}
	}
	switch {
	case !hasCode:
		return errNoData
	case !hasManufacturerCode(ident):
		return errNoIdent
	}
	return nil
}

// hasManufacturerCode reports whether an identification line begins with the three letters of a manufacturer (IEC 62056-21, 6.3.2) and has more
// characters after them.
func hasManufacturerCode(ident []byte) bool {
	for _, x := range ident[:min(3, len(ident))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(ident) > 3
}

// malformed empties t.Records and returns the error for a malformed line of a telegram without a checksum. before is the telegram up to that
// line.
func (t *Telegram) malformed(before []byte) error {
	t.Records = t.Records[:0]
	return kinderror.New(ErrMalformed, "p1: line %d is malformed, in a telegram without checksum", 1+bytes.Count(before, []byte("\n")))
}

// verifyChecksum returns the telegram up to its '!' as body, even if the checksum is wrong. checked is true if the telegram has a correct
// checksum.
func verifyChecksum(b []byte) (body []byte, checked bool, err error) {
	i := bytes.LastIndexByte(b, '!')
	if i < 1 || b[i-1] != '\n' {
		if len(b) >= MaxLength {
			return nil, false, errTooLong
		}
		return nil, false, errNoEnd
	}
	sum := trimmed(b[i+1:])
	if len(sum) == 0 {
		return b[:i], false, nil
	}
	got, ok := readChecksum(sum)
	if !ok {
		return b[:i], false, errNoHexChecksum
	}
	if want := Checksum(b[:i+1]); want != got {
		return b[:i], false, checksumError(b[:i+1], want, got)
	}
	return b[:i], true, nil
}

// checksumDigits is the largest number of hexadecimal digits of a checksum.
const checksumDigits = 4

// readChecksum reads one to four hexadecimal digits, because some meters do not send leading zeros.
func readChecksum(b []byte) (sum uint16, ok bool) {
	if len(b) == 0 || len(b) > checksumDigits {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b), 16, 16)
	return uint16(v), err == nil
}

// checksumError returns the error of a wrong checksum of b. It says if changed line ends are the cause.
func checksumError(b []byte, want, got uint16) error {
	if checksumWithCRLF(b) == got {
		return fmt.Errorf("%w: want %04X, got %04X (with CR LF at the end of each line, the checksum would be right: "+
			"line ends were changed on the way; record and copy the telegram as bytes, not as text)", ErrChecksum, want, got)
	}
	return fmt.Errorf("%w: want %04X, got %04X", ErrChecksum, want, got)
}

// checksumWithCRLF returns the checksum that b would have if each of its lines ended with CR LF.
func checksumWithCRLF(b []byte) (sum uint16) {
	for {
		line, rest, more := bytes.Cut(b, []byte("\n"))
		if !more {
			return arcTable.Update(sum, b)
		}
		sum = arcTable.Update(sum, bytes.TrimRight(line, "\r"))
		sum = arcTable.Update(sum, []byte("\r\n"))
		b = rest
	}
}
