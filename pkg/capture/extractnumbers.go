package capture

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// numbers takes rows of bytes that are written as numbers, with the same between all of them.
type numbers struct {
	one     *regexp.Regexp
	base    int
	between string // a gap
	column  int    // at which most rows begin, in bytes
}

var (
	// hexNumber matches one byte or several in hexadecimal: 7E, 7EA2, 0x7E, 0x8, 7Eh, x7E behind a '\'.
	hexNumber = regexp.MustCompile(`(?i)\b(?:0x([0-9a-f])|(?:0?x)?((?:[0-9a-f]{2})+)h?)\b`)

	// decimalNumber matches one byte in decimal, as Node-RED shows buffers.
	decimalNumber = regexp.MustCompile(`\b(\d{1,3})\b`)
)

// A row is bytes in a line, from and to a place in it.
type row struct {
	from, to int
	bytes    []byte
}

// take is a way: it takes the row at the column where rows begin, so that a time or a count in the line is none; otherwise the
// longest.
func (n numbers) take(line []byte) (b []byte, nothingElse bool) {
	rows := n.rows(line)
	if len(rows) == 0 {
		return nil, false
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r.from == n.column })
	if i < 0 {
		i = longest(rows)
	}
	return rows[i].bytes, rows[i].from == 0 && rows[i].to == len(line)
}

func longest(rows []row) (i int) {
	for j, r := range rows {
		if len(r.bytes) > len(rows[i].bytes) {
			i = j
		}
	}
	return i
}

// gaps returns what stands most often between two numbers, up to three, the most frequent first.
func (n numbers) gaps(text []byte) []string {
	count := map[string]int{"": 0} // where each line has one number
	for line := range bytes.Lines(text) {
		end := -1
		for _, m := range n.one.FindAllIndex(line, -1) {
			if end >= 0 {
				count[gap(line[end:m[0]])]++
			}
			end = m[1]
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return all[:min(len(all), 3)]
}

// gap returns what stands between two numbers. One blank or tab is as good as two. More of them part columns.
func gap(between []byte) string {
	if len(between) <= 2 && len(bytes.TrimSpace(between)) == 0 {
		return " "
	}
	return string(between)
}

// commonColumn returns where the longest rows of most lines begin.
func (n numbers) commonColumn(text []byte) int {
	count, most := map[int]int{}, 0
	for line := range bytes.Lines(text) {
		rows := n.rows(bytes.TrimSpace(line))
		if len(rows) == 0 {
			continue
		}
		at := rows[longest(rows)].from
		if count[at]++; count[at] > count[most] {
			most = at
		}
	}
	return most
}

// rows returns the rows of a line. All numbers of one have as many bytes, but for the last, which may have fewer and begins
// another row too.
func (n numbers) rows(line []byte) (rows []row) {
	end, width := -1, 0
	for _, m := range n.one.FindAllSubmatchIndex(line, -1) {
		b := n.bytes(line, m)
		if end < 0 || gap(line[end:m[0]]) != n.between || len(b) > width {
			if end, width = -1, len(b); !begins(line[:m[0]]) {
				continue
			}
			rows = append(rows, row{from: m[0]})
		}
		last := &rows[len(rows)-1]
		last.bytes, last.to, end = append(last.bytes, b...), m[1], m[1]
		if len(b) < width {
			rows, width = append(rows, row{m[0], m[1], b}), len(b)
		}
	}
	return rows
}

// begins reports whether a row may begin behind a part of a line: not within a time or a date.
func begins(before []byte) bool {
	n := len(before)
	return n < 2 || !bytes.ContainsRune([]byte(":.-/"), rune(before[n-1])) || before[n-2] < '0' || before[n-2] > '9'
}

// bytes returns the bytes of one number, none for one above 255 in decimal.
func (n numbers) bytes(line []byte, m []int) (b []byte) {
	digits := ""
	for i := 2; i < len(m); i += 2 {
		if m[i] >= 0 {
			digits = string(line[m[i]:m[i+1]])
		}
	}
	size := len(digits)
	if n.base == 16 {
		size = 2
	}
	for digits != "" {
		x, err := strconv.ParseUint(digits[:min(size, len(digits))], n.base, 8)
		if err != nil {
			return nil
		}
		b, digits = append(b, byte(x)), digits[min(size, len(digits)):]
	}
	return b
}
