package capture

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// numbers takes rows of bytes that are written as numbers, with the same between all of them.
type numbers struct {
	one     *regexp.Regexp
	between string // a gap
	column  int    // at which most rows begin, in bytes
}

var (
	// hexNumber matches one byte or several in hexadecimal: 7E, 7EA2, 0x7E, 0x8, 7Eh, x7E behind a '\'.
	hexNumber = regexp.MustCompile(`(?i)\b(?:0x[0-9a-f]|(?:0?x)?(?:[0-9a-f]{2})+h?)\b`)

	// decimalNumber matches one byte in decimal, as Node-RED shows buffers.
	decimalNumber = regexp.MustCompile(`\b(?:1?\d?\d|2[0-4]\d|25[0-5])\b`)
)

// A row is bytes in a line, from and to a place in it.
type row struct {
	from, to int
	width    int // how many bytes its numbers have
	bytes    []byte
}

// take is a way: it takes the row at the column where rows begin, so that a time or a count in the line is none; otherwise the
// longest.
func (n numbers) take(line []byte) (b []byte, nothingElse bool) {
	rows := n.rows(line)
	if len(rows) == 0 {
		return nil, false
	}
	r := longest(rows)
	if i := slices.IndexFunc(rows, func(r row) bool { return r.from == n.column }); i >= 0 {
		r = rows[i]
	}
	return r.bytes, r.from == 0 && r.to == len(line)
}

// longest returns the first of the rows with most bytes.
func longest(rows []row) row {
	return slices.MaxFunc(rows, func(a, b row) int { return len(a.bytes) - len(b.bytes) })
}

// rows returns the rows of a line. All numbers of one have as many bytes, but for the last, which may have fewer and begins
// another row too.
func (n numbers) rows(line []byte) (rows []row) {
	for _, m := range n.one.FindAllIndex(line, -1) {
		b, last := n.bytes(string(line[m[0]:m[1]])), len(rows)-1
		number := row{from: m[0], to: m[1], width: len(b), bytes: b}
		if last < 0 || string(gap(line[rows[last].to:m[0]])) != n.between || len(b) > rows[last].width {
			if begins(line[:m[0]]) {
				rows = append(rows, number)
			}
			continue
		}
		r := &rows[last]
		r.to, r.bytes = m[1], append(r.bytes, b...)
		if len(b) < r.width {
			rows = append(rows, number)
		}
	}
	return rows
}

func (n numbers) bytes(number string) []byte {
	if n.one == decimalNumber {
		x, _ := strconv.Atoi(number) // no error: these are digits
		return []byte{byte(x)}
	}
	digits := strings.TrimRight(number[strings.LastIndexAny(number, "xX")+1:], "hH")
	b, _ := hex.DecodeString("0"[:len(digits)%2] + digits) // no error: hexNumber matches digits alone
	return b
}

// begins reports whether a row may begin behind a part of a line: not within a time or a date.
func begins(before []byte) bool {
	n := len(before)
	return n < 2 || !bytes.ContainsRune([]byte(":.-/"), rune(before[n-1])) || before[n-2] < '0' || before[n-2] > '9'
}

// gap returns what stands between two numbers. One blank or tab is as good as two. More of them part columns.
func gap(between []byte) []byte {
	if len(between) <= 2 && len(bytes.TrimSpace(between)) == 0 {
		return blank
	}
	return between
}

var blank = []byte(" ")

// gaps returns what stands most often between two numbers, up to three, the most frequent first.
func (n numbers) gaps(text []byte) []string {
	count := map[string]int{"": 0} // where each line has one number
	for line := range bytes.Lines(text) {
		all := n.one.FindAllIndex(line, -1)
		for i := 1; i < len(all); i++ {
			count[string(gap(line[all[i-1][1]:all[i][0]]))]++
		}
	}
	return mostFrequent(count)[:min(len(count), 3)]
}

// commonColumn returns where the longest rows of most lines begin.
func (n numbers) commonColumn(text []byte) int {
	count := map[int]int{0: 0}
	for line := range bytes.Lines(text) {
		if rows := n.rows(bytes.TrimSpace(line)); len(rows) > 0 {
			count[longest(rows).from]++
		}
	}
	return mostFrequent(count)[0]
}

// mostFrequent returns what was counted, the most frequent first.
func mostFrequent[K cmp.Ordered](count map[K]int) []K {
	return slices.SortedFunc(maps.Keys(count), func(a, b K) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(a, b))
	})
}
