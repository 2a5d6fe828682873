package capture

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A dump is bytes as hexdump, hexdump -C, xxd and od print them: lines that begin with their offset. What it holds beside the
// bytes, offsets and characters, is left out.

// longestDump bounds how much of a dump is read, and for how many bytes its repeated lines stand. It is text that somebody made, not a
// wire.
const longestDump = 16 << 20

// dumpLine is an offset, perhaps with a colon, and what stands behind it. Offsets of od are octal.
var dumpLine = regexp.MustCompile(`^\s*(?:0x)?([0-9A-Fa-f]{4,16})(:?)(?:[ \t]+(\S.*?))?\s*$`)

// isDump reports whether a recording begins as a dump: with lines whose offsets count the bytes in them, or with one that has the
// characters of its bytes at its end.
func isDump(start []byte) bool {
	if i := bytes.LastIndexByte(start, '\n'); i >= 0 && bytes.IndexByte(start, '\n') != i {
		start = start[:i] // the last line may be cut
	}
	_, ok := parseDump(start)
	return ok
}

// dumpRow is a line of a dump.
type dumpRow struct {
	offset string
	groups [][]byte // digits, as they are printed
	sure   bool     // no other text has such a line
	again  bool     // a *, for the line before it again and again
}

// rowsOf returns the lines of a dump, whose bytes are printed as numbers of a base: 16, 8 or 2. Others are passed over.
func rowsOf(text []byte, base int) (rows []dumpRow) {
	for line := range bytes.Lines(text) {
		if bytes.Equal(bytes.TrimSpace(line), []byte("*")) {
			rows = append(rows, dumpRow{again: true})
			continue
		}
		m := dumpLine.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		row := dumpRow{offset: string(m[1])}
		digits, colon := m[3], len(m[2]) > 0
		if colon {
			digits, row.sure = cutCharacters(digits, base)
		} else if i := bytes.IndexAny(digits, "|>"); i >= 0 { // hexdump -C and od -t x1z
			digits, row.sure = digits[:i], true
		}
		row.groups = bytes.Fields(digits)
		switch base {
		case 8:
			row.fromOctal()
		case 2:
			row.fromBinary()
		}
		if !row.isBytes() {
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// fromOctal makes hexadecimal digits of the groups of od without options, of six octal digits for two bytes, and of od -b, of three
// for one.
func (r *dumpRow) fromOctal() {
	for i, g := range r.groups {
		x, err := strconv.ParseUint(string(g), 8, 16)
		if err == nil && (len(g) == 6 || len(g) == 3 && x <= 0xFF) {
			r.groups[i] = fmt.Appendf(nil, "%0*x", len(g)/3*2, x)
		}
	}
}

// cutCharacters cuts off the characters that xxd prints behind two blanks. They are as many as the bytes before them: where the last
// number is not whole, xxd -e has blanks between it and the one before.
func cutCharacters(digits []byte, base int) (rest []byte, ok bool) {
	size := 2
	if base == 2 {
		size = 8
	}
	first := bytes.Index(digits, []byte("  "))
	if first < 0 {
		return digits, false
	}
	before, behind := first-bytes.Count(digits[:first], []byte(" ")), utf8.RuneCount(digits[first:])-2
	for i := first; i+2 < len(digits); i++ {
		if digits[i] != ' ' {
			before++
		} else if digits[i+1] == ' ' && before == behind*size {
			return digits[:i], true
		}
		if utf8.RuneStart(digits[i]) {
			behind--
		}
	}
	return digits[:first], true
}

// fromBinary makes hexadecimal digits of the groups of xxd -b, of eight digits for one byte.
func (r *dumpRow) fromBinary() {
	for i, g := range r.groups {
		if x, err := strconv.ParseUint(string(g), 2, 8); err == nil && len(g) == 8 {
			r.groups[i] = fmt.Appendf(nil, "%02x", x)
		}
	}
}

// isBytes reports whether all groups are of hexadecimal digits, and as long as the first, but for the last one.
func (r *dumpRow) isBytes() bool {
	for i, g := range r.groups {
		_, err := hex.DecodeString(string(g))
		if err != nil || len(g) > len(r.groups[0]) || len(g) < len(r.groups[0]) && i < len(r.groups)-1 {
			return false
		}
	}
	return true
}

// group returns how many bytes the first number of the line has; 0 where it has none.
func (r *dumpRow) group() int {
	if len(r.groups) == 0 {
		return 0
	}
	return len(r.groups[0]) / 2
}

func (r *dumpRow) bytes() (n int) {
	for _, g := range r.groups {
		n += len(g) / 2
	}
	return n
}

// A dumpOf is what the lines of a dump hold.
type dumpOf struct {
	bytes []byte // in the order in which they are printed
	group int    // how many bytes form one printed number; above 1 their order depends on the byte order of the machine
	extra int    // how many high bytes of the last number are padding, since the file has ended within it
}

// parseDump returns the bytes of a dump. ok is false where text is none.
func parseDump(text []byte) (d dumpOf, ok bool) {
	for _, printed := range []int{16, 8, 2} {
		rows := rowsOf(text, printed)
		for _, base := range []int{16, 8, 10} {
			if d, ok := joinRows(rows, base); ok {
				return d, true
			}
		}
	}
	return dumpOf{}, false
}

// joinRows joins lines whose offsets are numbers of a base, and fit.
func joinRows(rows []dumpRow, base int) (d dumpOf, ok bool) {
	var next uint64 // offset
	proofs, begun, again, last := 0, false, false, dumpRow{}
	for _, r := range rows {
		if r.again {
			again = true
			continue
		}
		at, err := strconv.ParseUint(r.offset, base, 64)
		if err != nil {
			return d, false
		}
		switch {
		case !begun:
		case again && at > next:
			d.repeat(last, at-next)
			proofs++
		case at == next:
			proofs++
		case len(r.groups) == 0 && at < next && next-at < uint64(last.group()): // the file ends within the last number
			d.extra = int(next - at)
			proofs++
		default:
			return d, false
		}
		if r.sure {
			proofs++
		}
		next, begun, again = at+uint64(r.bytes()), true, false
		if len(r.groups) > 0 {
			last = r
			d.add(r)
		}
	}
	return d, proofs > 0 && len(d.bytes) > 0
}

func (d *dumpOf) add(r dumpRow) {
	d.group = max(d.group, r.group())
	for _, g := range r.groups {
		d.bytes, _ = hex.AppendDecode(d.bytes, g) // no error: isBytes has looked
	}
}

// repeat adds a line again, for n bytes. Telegrams repeat nothing for long.
func (d *dumpOf) repeat(r dumpRow, n uint64) {
	const most = 1 << 16
	for n = min(n, most); n >= uint64(r.bytes()) && r.bytes() > 0 && len(d.bytes) < longestDump; n -= uint64(r.bytes()) {
		d.add(r)
	}
}

// swapped returns the bytes where each number was printed by a machine that keeps its low byte first, as nearly all do.
func (d *dumpOf) swapped() []byte {
	out := bytes.Clone(d.bytes)
	for one := range slices.Chunk(out, d.group) {
		slices.Reverse(one)
	}
	return out[:max(len(out)-d.extra, 0)]
}

// undump reads a dump. If its numbers have more than one byte, undump tries both byte orders and uses the one that gives a whole telegram.
type undump struct {
	r    io.Reader
	rest []byte
	read bool
}

func (u *undump) Read(p []byte) (int, error) {
	if !u.read {
		text, err := readText(u.r)
		if err != nil {
			return 0, err
		}
		d, _ := parseDump(text)
		u.rest, u.read = d.bytes, true
		if d.group > 1 {
			if s := d.swapped(); countTelegrams(s, true) > countTelegrams(d.bytes, true) {
				u.rest = s
			}
		}
	}
	if len(u.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
