package p1

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Telegram is a parsed telegram. Its fields belong to the bytes it was parsed from, and are valid as long as those.
type Telegram struct {
	// Ident is the identification line without its '/': "ADN9 6534".
	Ident []byte
	// Checked tells that the telegram carried a checksum, and that it was right.
	Checked bool
	// Records are the data lines in the meter's order; none is left out. A code with several values keeps them all in Text, in
	// their parentheses, except a stamp beside a number; of several numbers with units each is a record.
	Records []obis.Record

	codeCache [cachedLines]cachedCode // of the telegram before
}

// Parse reads a telegram as Length delimits it. The Telegram's own slice of records is used again, so that nothing is
// allocated once it has grown. The checksum is verified before anything else is read, and vouches for every byte; a telegram
// that carries none is accepted when every line of it is well formed. After an error the Telegram holds nothing.
func (t *Telegram) Parse(b []byte) error { return t.parse(b, false) }

// Parse reads one telegram, as Length delimits it, into a new Telegram. To read many without allocating, use the method of one Telegram.
func Parse(b []byte) (*Telegram, error) {
	t := new(Telegram)
	if err := t.Parse(b); err != nil {
		return nil, err
	}
	return t, nil
}

// ParseUnchecked is Parse for the few meters that send a wrong checksum: a telegram whose checksum is not right is read like
// one that has none. Checked is true only where it is right.
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

// checkUnverified tells what speaks against a telegram of well-formed lines that no checksum vouches for. AtMark tells that nothing
// follows its '!': meters of DSMR 2.2 send no more, and their stamps have no season; of others the checksum is cut off.
func (t *Telegram) checkUnchecked(ident, body []byte, atMark bool) error {
	coded := false
	for i := range t.Records {
		r := &t.Records[i]
		coded = coded || r.Kind != obis.Line
		if atMark && r.Time.Zone {
			return errNoChecksum
		}
		if r.Kind == obis.Text && !isWellFormed(r) || r.Kind == obis.Line && !isWellFormedLine(r) {
			return t.malformed(body[:cap(body)-cap(r.Text)])
		}
	}
	switch {
	case !coded:
		return errNoData
	case !hasMakerCode(ident):
		return errNoIdent
	}
	return nil
}

// named tells if an identification line begins with the three letters of a maker (IEC 62056-21, 6.3.2). Where no checksum
// vouches for it, noise before a telegram must not become a part of it.
func hasMakerCode(ident []byte) bool {
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
	return &fault{
		fmt.Sprintf("p1: line %d is malformed, in a telegram without checksum", 1+bytes.Count(before, []byte("\n"))), ErrMalformed,
	}
}

// verify returns what stands between '/' and '!', also where the checksum is wrong, and whether a checksum vouches for it.
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

// checksumDigits is how many hexadecimal digits a checksum has at most.
const checksumDigits = 4

// readChecksum reads up to four hexadecimal digits: some meters leave out zeros in front.
func readChecksum(b []byte) (sum uint16, ok bool) {
	if len(b) == 0 || len(b) > checksumDigits {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b), 16, 16)
	return uint16(v), err == nil
}

// wrongChecksum is the error of a checksum that is not right. It says so where other ends of lines are to blame.
func checksumError(b []byte, want, got uint16) error {
	if checksumWithCRLF(b) == got {
		return fmt.Errorf("%w: want %04X, got %04X (right with CR LF at the ends of its lines: "+
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
