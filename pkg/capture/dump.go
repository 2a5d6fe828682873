package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
)

// A dump is the output of hexdump, xxd or od that has been read so far: lines of an offset and bytes.
type dump struct {
	notation
	offsetBase int
	bytes      []byte // of all lines
	lastLine   []byte // bytes of the last line
	width      int    // of the first number in the last line, in bytes
	nextOffset int64  // the offset that the next line must have
	repeated   bool   // a line * followed the last line, which means that the last line is repeated
	hasLine    bool   // at least one line was added
	// evidence counts signs that only a dump has: offsets that fit the lines before them, and characters at the end of a line.
	evidence int
}

// A notation is how a dump writes numbers.
type notation struct {
	base         int
	digits       int  // number of digits of one byte
	littleEndian bool // the low byte of a number is first in the recording
}

// isDump reports whether a recording with this beginning is a dump. The offset of each line must fit the number of bytes before the line. There
// must be two such lines, or a line that ends with the characters of its bytes.
func isDump(start []byte) bool {
	if i := bytes.LastIndexByte(start, '\n'); i >= 0 && bytes.IndexByte(start, '\n') != i {
		start = start[:i] // the last line is possibly incomplete
	}
	_, ok := parseDump(start, false)
	return ok
}

// dumpedBytes returns the bytes of a dump, in the byte order that gives more telegrams. If a later line shows that the text is not a dump,
// dumpedBytes returns the result of bytesInText.
func dumpedBytes(text []byte) []byte {
	bigEndian, ok := parseDump(text, false)
	if !ok {
		return bytesInText(text)
	}
	littleEndian, _ := parseDump(text, true)
	if !bytes.Equal(bigEndian, littleEndian) && countTelegrams(littleEndian, true) > countTelegrams(bigEndian, true) {
		return littleEndian
	}
	return bigEndian
}

// parseDump returns the bytes of a dump. It tries numbers and offsets of each base. ok is false if text is not a dump.
func parseDump(text []byte, littleEndian bool) (b []byte, ok bool) {
	for _, n := range []notation{{16, 2, littleEndian}, {8, 3, littleEndian}, {2, 8, littleEndian}} {
		for _, base := range []int{16, 8, 10} {
			d := dump{notation: n, offsetBase: base}
			if d.read(text) {
				return d.bytes, true
			}
		}
	}
	return nil, false
}

// read reads all lines of text, and reports whether it is a dump.
func (d *dump) read(text []byte) (ok bool) {
	for line := range bytes.Lines(text) {
		if !d.add(bytes.TrimRight(line, "\r\n")) {
			return false
		}
	}
	return d.evidence > 0 && len(d.bytes) > 0
}

// dumpLine matches an offset, a colon after some offsets, and the rest of the line.
var dumpLine = regexp.MustCompile(`^\s*(?:0x)?([[:xdigit:]]{4,16})(:?)(?:[ \t]+(\S.*))?\s*$`)

// maxRepeated is the maximum number of bytes that are added for a line *. Telegrams have no longer repetitions.
const maxRepeated = 1 << 16

// add adds a line, and reports whether its offset fits the lines before it. It ignores a line that does not have the form of a dump, and then
// returns true.
func (d *dump) add(line []byte) (fits bool) {
	if string(bytes.TrimSpace(line)) == "*" {
		d.repeated = true
		return true
	}
	m := dumpLine.FindSubmatch(line)
	if m == nil {
		return true
	}
	offsetText, colon, rest := string(m[1]), m[2], m[3]
	digits, characters := d.split(rest, len(colon) > 0)
	b, width, ok := d.parse(digits)
	if !ok {
		return true
	}
	offset, err := strconv.ParseInt(offsetText, d.offsetBase, 64)
	switch gap := offset - d.nextOffset; {
	case err != nil:
		return false
	case !d.hasLine, gap == 0: // the first line can have any offset
	case d.repeated && gap > 0: // a line * replaced equal lines
		if len(d.bytes) < maxText {
			d.bytes = append(d.bytes, bytes.Repeat(d.lastLine, int(min(gap, maxRepeated))/max(len(d.lastLine), 1))...)
		}
	case len(b) == 0 && gap < 0 && -gap < int64(d.width): // the offset at the end shows that the last number was padded
		d.bytes = d.bytes[:len(d.bytes)+int(gap)]
	default:
		return false
	}
	if d.hasLine {
		d.evidence++
	}
	if len(characters) > 0 && len(characters) <= len(b) {
		d.evidence++
	}
	d.bytes = append(d.bytes, b...)
	d.hasLine, d.repeated, d.lastLine, d.width, d.nextOffset = true, false, b, width, offset+int64(len(b))
	return true
}

// split separates the digits of a line from the characters after them. hexdump -C and od -t x1z put the characters between bars or angle
// brackets. xxd puts a colon after the offset, and the characters after two blanks.
func (n notation) split(line []byte, hasColon bool) (digits, characters []byte) {
	if !hasColon {
		i := bytes.IndexAny(line, "|>")
		if i < 0 {
			return line, nil
		}
		return line[:i], bytes.Trim(line[i:], "|>< ")
	}
	// Two blanks can also be before an incomplete last number. So the characters must be as many as the bytes before them.
	const maxColumns = 256 // the maximum number of bytes that xxd writes in a line
	for size := range min(maxColumns+1, max(len(line), 1)) {
		digits, ok := bytes.CutSuffix(line[:len(line)-size], []byte("  "))
		if ok && len(digits)-bytes.Count(digits, []byte(" ")) == n.digits*size {
			return digits, line[len(line)-size:]
		}
	}
	digits, characters, _ = bytes.Cut(line, []byte("  "))
	return digits, bytes.TrimLeft(characters, " ")
}

// parse returns the bytes of the numbers in a line, and the width of the first number in bytes. All numbers must have the same width. Only the
// last number can be narrower.
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
		if n.littleEndian {
			slices.Reverse(b)
		}
		all = append(all, b...)
	}
	return all, width, true
}

// number returns the bytes of a number, high byte first.
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
