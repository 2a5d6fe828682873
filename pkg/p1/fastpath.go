package p1

import "github.com/hanbridge/hanbridge/pkg/obis"

// cachedLines is the number of records whose code is remembered: a meter sends the same lines again and again.
const cachedLines = 64

// A cachedCode is the text before the first '(' of a line, and the code that it stands for.
type cachedCode struct {
	text [16]byte
	size int // in bytes, 0 for none
	code obis.Code
}

// readCode does what obis.ReadCode does, for the line of record i. If the line begins as in the telegram before, it only compares. Without it,
// telegrams take 15 % longer (BenchmarkDecode of pkg/meter).
func (t *Telegram) readCode(i int, b []byte) (obis.Code, int) {
	if i >= len(t.codeCache) {
		return obis.ReadCode(b)
	}
	h := &t.codeCache[i]
	if n := h.size; n > 0 && len(b) > n && b[n] == '(' && string(b[:n]) == string(h.text[:n]) {
		return h.code, n
	}
	code, n := obis.ReadCode(b)
	if h.size = copy(h.text[:], b[:n]); h.size < n {
		h.size = 0
	}
	h.code = code
	return code, n
}

// parseUsualValue reads the value at the start of b if it is as in most lines, a number with a unit before the line end: "(0000.345*kW)" CR LF.
// It returns the length in bytes with the line end, and 0 for any other value. parseValue would read the same. Without it, telegrams take
// 20 % longer (BenchmarkDecode of pkg/meter).
func parseUsualValue(r *obis.Record, b []byte) int {
	const longest = 32 // bytes of a number with its unit
	star := 1
	for star < len(b) && star < longest && (b[star]-'0' <= 9 || b[star] == '.' || b[star] == '-') {
		star++
	}
	end := star
	for end < len(b) && end < longest && b[end] != ')' && b[end] > ' ' {
		end++
	}
	if star == 1 || end+2 >= len(b) || b[star] != '*' || b[end] != ')' || b[end+1] != '\r' || b[end+2] != '\n' {
		return 0
	}
	unit, prefix, ok := obis.ParseUnit(b[star+1 : end])
	if !ok {
		return 0
	}
	v, err := obis.ParseDecimal(b[1:star])
	if err != nil {
		return 0
	}
	r.Kind, r.Value, r.Unit, r.Text = obis.Number, v.Shift(prefix), unit, b[1:end]
	return end + 3
}
