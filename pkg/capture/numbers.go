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

// numbers finds rows of bytes in lines. A row is successive numbers, with the same separator between each two of them.
type numbers struct {
	number    *regexp.Regexp // matches one number
	separator string
	column    int // index in the line at which the longest row begins in most lines
}

var (
	// hexNumber matches one or more bytes in hexadecimal: 7E, 7EA2, 0x7E, 0x8, 7Eh, and x7E after a '\'.
	hexNumber = regexp.MustCompile(`(?i)\b(?:0x[0-9a-f]|(?:0?x)?(?:[0-9a-f]{2})+h?)\b`)

	// decimalNumber matches one byte in decimal, as Node-RED shows buffers.
	decimalNumber = regexp.MustCompile(`\b(?:1?\d?\d|2[0-4]\d|25[0-5])\b`)
)

// A row is successive numbers in a line.
type row struct {
	from, to int // indexes in the line
	width    int // of its numbers, in bytes
	bytes    []byte
}

// extract is an extractor. It returns the row at n.column, so that it does not return a time or a count in the line as bytes. If no row begins at
// n.column, it returns the longest row.
func (n numbers) extract(line []byte) (b []byte, nothingElse bool) {
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

// longest returns the row with most bytes. If several rows have most bytes, it returns the first of them.
func longest(rows []row) row {
	return slices.MaxFunc(rows, func(a, b row) int { return len(a.bytes) - len(b.bytes) })
}

// rows returns the rows of a line. All numbers of a row have the same width. Only the last number can be narrower. A narrower number also begins
// another row, because it is possibly not part of the row before it.
func (n numbers) rows(line []byte) (rows []row) {
	for _, m := range n.number.FindAllIndex(line, -1) {
		b, last := n.bytes(string(line[m[0]:m[1]])), len(rows)-1
		newRow := row{from: m[0], to: m[1], width: len(b), bytes: b}
		continuesRow := last >= 0 && string(normalSeparator(line[rows[last].to:m[0]])) == n.separator && len(b) <= rows[last].width
		if !continuesRow {
			if canBegin(line[:m[0]]) {
				rows = append(rows, newRow)
			}
			continue
		}
		r := &rows[last]
		r.to, r.bytes = m[1], append(r.bytes, b...)
		if len(b) < r.width {
			rows = append(rows, newRow)
		}
	}
	return rows
}

// bytes returns the bytes of one number.
func (n numbers) bytes(text string) []byte {
	if n.number == decimalNumber {
		x, _ := strconv.Atoi(text) // never an error, because decimalNumber matches only digits up to 255
		return []byte{byte(x)}
	}
	digits := strings.TrimRight(text[strings.LastIndexAny(text, "xX")+1:], "hH")
	b, _ := hex.DecodeString("0"[:len(digits)%2] + digits) // never an error, because hexNumber matches only such digits
	return b
}

// canBegin reports whether a row can begin after the text before it in its line. A row cannot begin within a time or a date.
func canBegin(before []byte) bool {
	n := len(before)
	return n < 2 || !bytes.ContainsRune([]byte(":.-/"), rune(before[n-1])) || before[n-2] < '0' || before[n-2] > '9'
}

// normalSeparator returns the text between two numbers as a separator. One or two blanks or tabs are returned as one blank. More blanks do not
// change, because they separate columns.
func normalSeparator(between []byte) []byte {
	if len(between) <= 2 && len(bytes.TrimSpace(between)) == 0 {
		return blank
	}
	return between
}

var blank = []byte(" ")

// separators returns the most frequent separators of numbers in the text: at most three, the most frequent first.
func (n numbers) separators(text []byte) []string {
	count := map[string]int{"": 0} // "" for text with one number in each line
	for line := range bytes.Lines(text) {
		all := n.number.FindAllIndex(line, -1)
		for i := 1; i < len(all); i++ {
			count[string(normalSeparator(line[all[i-1][1]:all[i][0]]))]++
		}
	}
	return mostFrequent(count)[:min(len(count), 3)]
}

// commonColumn returns the index in the line at which the longest row begins in most lines.
func (n numbers) commonColumn(text []byte) int {
	count := map[int]int{0: 0} // 0 for text without rows
	for line := range bytes.Lines(text) {
		if rows := n.rows(bytes.TrimSpace(line)); len(rows) > 0 {
			count[longest(rows).from]++
		}
	}
	return mostFrequent(count)[0]
}

// mostFrequent returns the keys, sorted by falling count.
func mostFrequent[K cmp.Ordered](count map[K]int) []K {
	return slices.SortedFunc(maps.Keys(count), func(a, b K) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(a, b))
	})
}
