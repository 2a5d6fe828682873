package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
)

// A dump is bytes as hexdump, hexdump -C, xxd and od print them: lines that begin with their offset. What it holds beside the
// bytes, offsets and characters, is left out.
type dump struct {
	notation
	offsets  int // their base
	bytes    []byte
	last     []byte // bytes of the last line
	width    int    // how many bytes its first number has
	next     int64  // offset
	repeated bool   // a * stands for the last line again and again
	begun    bool
	proofs   int // lines that no other text has
}

// A notation is one in which a dump has its numbers.
type notation struct {
	base    int
	digits  int  // of a byte
	swapped bool // the low byte of a number is the first, as on nearly all machines
}

// isDump reports whether a recording begins as a dump: with lines whose offsets count the bytes in them, or with one that has the
// characters of its bytes at its end.
func isDump(start []byte) bool {
	if i := bytes.LastIndexByte(start, '\n'); i >= 0 && bytes.IndexByte(start, '\n') != i {
		start = start[:i] // the last line may be cut
	}
	_, ok := parseDump(start, false)
	return ok
}

// dumpedBytes returns the bytes of a dump, in the byte order that gives more telegrams. Where a line later on is none of the dump,
// its text is searched for bytes like any other.
func dumpedBytes(text []byte) []byte {
	printed, ok := parseDump(text, false)
	if !ok {
		return bytesInText(text)
	}
	swapped, _ := parseDump(text, true)
	if !bytes.Equal(printed, swapped) && countTelegrams(swapped, true) > countTelegrams(printed, true) {
		return swapped
	}
	return printed
}

// parseDump returns the bytes of a dump. ok is false where text is none.
func parseDump(text []byte, swapped bool) (b []byte, ok bool) {
	for _, n := range []notation{{16, 2, swapped}, {8, 3, swapped}, {2, 8, swapped}} {
		for _, base := range []int{16, 8, 10} {
			d := dump{notation: n, offsets: base}
			if d.read(text) {
				return d.bytes, true
			}
		}
	}
	return nil, false
}

func (d *dump) read(text []byte) (ok bool) {
	for line := range bytes.Lines(text) {
		if !d.add(bytes.TrimRight(line, "\r\n")) {
			return false
		}
	}
	return d.proofs > 0 && len(d.bytes) > 0
}

// dumpLine is an offset, perhaps with a colon, and what stands behind it.
var dumpLine = regexp.MustCompile(`^\s*(?:0x)?([[:xdigit:]]{4,16})(:?)(?:[ \t]+(\S.*))?\s*$`)

// mostRepeated is for how many bytes a * stands at most: telegrams repeat nothing for long.
const mostRepeated = 1 << 16

// add takes in a line, and reports whether its offset fits those before. Lines that are none of a dump are passed over.
func (d *dump) add(line []byte) (fits bool) {
	if string(bytes.TrimSpace(line)) == "*" {
		d.repeated = true
		return true
	}
	m := dumpLine.FindSubmatch(line)
	if m == nil {
		return true
	}
	digits, characters := d.split(m[3], len(m[2]) > 0)
	b, width, ok := d.parse(digits)
	if !ok {
		return true
	}
	at, err := strconv.ParseInt(string(m[1]), d.offsets, 64)
	switch gap := at - d.next; {
	case err != nil:
		return false
	case !d.begun, gap == 0:
	case d.repeated && gap > 0:
		if len(d.bytes) < longestText {
			d.bytes = append(d.bytes, bytes.Repeat(d.last, int(min(gap, mostRepeated))/max(len(d.last), 1))...)
		}
	case len(b) == 0 && gap < 0 && -gap < int64(d.width): // the file ends within the last number
		d.bytes = d.bytes[:len(d.bytes)+int(gap)]
	default:
		return false
	}
	if d.begun {
		d.proofs++
	}
	if len(characters) > 0 && len(characters) <= len(b) {
		d.proofs++
	}
	d.bytes = append(d.bytes, b...)
	d.begun, d.repeated, d.last, d.width, d.next = true, false, b, width, at+int64(len(b))
	return true
}

// split parts the digits of a line from the characters behind them: of hexdump -C and od -t x1z between bars or angles, and of
// xxd, whose offsets have a colon, behind two blanks.
func (n notation) split(line []byte, colon bool) (digits, characters []byte) {
	if !colon {
		i := bytes.IndexAny(line, "|>")
		if i < 0 {
			return line, nil
		}
		return line[:i], bytes.Trim(line[i:], "|>< ")
	}
	const most = 256                                   // columns of xxd
	for size := range min(most+1, max(len(line), 1)) { // there may be blanks before the last number too, where it is not whole
		digits, ok := bytes.CutSuffix(line[:len(line)-size], []byte("  "))
		if ok && len(digits)-bytes.Count(digits, []byte(" ")) == n.digits*size {
			return digits, line[len(line)-size:]
		}
	}
	digits, characters, _ = bytes.Cut(line, []byte("  "))
	return digits, bytes.TrimLeft(characters, " ")
}

// parse returns the bytes of the numbers of a line, and how many the first has. All have as many, but for the last, which may have
// fewer.
func (n notation) parse(line []byte) (all []byte, width int, ok bool) {
	numbers := bytes.Fields(line)
	for i, number := range numbers {
		b, err := n.number(string(number))
		if i == 0 {
			width = len(b)
		}
		if err != nil || len(b) > width || len(b) < width && i < len(numbers)-1 {
			return nil, 0, false
		}
		if n.swapped {
			slices.Reverse(b)
		}
		all = append(all, b...)
	}
	return all, width, true
}

func (n notation) number(digits string) ([]byte, error) {
	size := len(digits) / n.digits
	if n.base == 16 {
		return hex.DecodeString(digits)
	}
	if len(digits)%n.digits != 0 {
		return nil, strconv.ErrSyntax
	}
	x, err := strconv.ParseUint(digits, n.base, 8*size)
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint64(nil, x)[8-size:], nil
}
