package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// parseLine appends the record of the line at the start of b and returns how many bytes it takes with its end: more lines than
// one where its value goes over several. ok is false where it is nothing that a telegram without a checksum may hold. An empty
// line is well formed and gives no record, every other line gives one.
func (t *Telegram) parseLine(b []byte) (n int, ok bool) {
	if isLineEnd(b[0]) {
		return 1, true
	}
	if b[0] == '(' {
		return t.continuationLine(b, 0)
	}
	code, i := t.readCode(len(t.Records), b)
	if i > 0 && i < len(b) && b[i] == '(' {
		t.Records = append(t.Records, obis.Record{Code: code})
		if n := parseUsualValue(&t.Records[len(t.Records)-1], b[i:]); n > 0 {
			return i + n, true
		}
		if n := t.oneLineItem(b, i); n > 0 {
			return n, true
		}
		t.Records = t.Records[:len(t.Records)-1]
	}
	start, end, n := cutLine(b)
	if start == end {
		return n, true
	}
	v := bytes.IndexByte(b[start:end], '(')
	switch {
	case v == 0:
		return t.continuationLine(b, start)
	case v > 0:
		return t.item(b, start, start+v)
	}
	if next := n + blanks(b[n:]); next < len(b) && b[next] == '(' {
		return t.item(b, start, next)
	}
	t.appendLine(b[start:end])
	return n, false
}

// whole fills the last record from the value that begins with the '(' at b[i], where it ends with its line, and returns the
// length of the line with its end; 0 where that may go on.
func (t *Telegram) oneLineItem(b []byte, i int) (n int) {
	if n = bytes.IndexByte(b, '\n') + 1; n == 0 {
		return 0
	}
	end := n - 1
	for isLineEnd(b[end]) {
		end--
	}
	text := b[i : end+1]
	if b[end] != ')' || openParens(text) > 0 && (isLog(t.Records[len(t.Records)-1].Code) || beginsBlock(text)) {
		return 0
	}
	t.fillValue(text, oneLine)
	return n
}

// item appends the record of the code or label at b[start] and of the value that begins with the '(' at b[v].
func (t *Telegram) item(b []byte, start, v int) (n int, ok bool) {
	name := trimmed(b[start:v])
	code, size := obis.ReadCode(name)
	coded := size == len(name)
	apart := bytes.IndexByte(b[start:v], '\n') >= 0
	x := extentOf(b[v:], !coded || isLog(code) || apart || beginsBlock(b[v:]))
	text := b[v : v+x.valueEnd]
	switch ok = x.form != unclosed; {
	case coded && (x.form == oneLine || isLog(code)):
		t.Records = append(t.Records, obis.Record{Code: code})
		t.fillValue(text, x.form)
	case coded && x.form == multiLineText:
		t.Records = append(t.Records, obis.Record{Code: code, Kind: obis.Text, Text: text[1 : len(text)-1]})
		ok = !mayHaveUnit(code)
	default:
		t.appendLine(b[start : v+x.valueEnd])
		ok = ok && (coded || isLabel(name))
	}
	return v + x.lineEnd, ok
}

// value fills the last record from text, its value in parentheses. What stands in several lines is a block of history.
func (t *Telegram) fillValue(text []byte, f valueForm) {
	r := &t.Records[len(t.Records)-1]
	if f != oneLine {
		r.Kind, r.Text = obis.Text, text
		return
	}
	if !parseValue(r, text) {
		t.Records = splitNumbers(t.Records, text)
	}
}

// continues appends the record of a line that begins with the '(' at b[start]: more values of a log, or of a label, or the
// second line of a block of DSMR 2.2. Anywhere else it is a line of its own, which a telegram without checksum may not hold.
func (t *Telegram) continuationLine(b []byte, start int) (n int, ok bool) {
	x := extentOf(b[start:], true)
	text, n := b[start:start+x.valueEnd], start+x.lineEnd
	if len(t.Records) == 0 {
		t.appendLine(text)
		return n, false
	}
	last := &t.Records[len(t.Records)-1]
	switch {
	case x.form == oneLine && last.Code.CDE() == dsmr2Code && bytes.IndexByte(text[1:], '(') < 0:
		if !t.dsmr2SecondLine(text) {
			t.appendLine(text) // the value of a block that is not understood
		}
		return n, true
	case isLog(last.Code):
		t.Records = append(t.Records, obis.Record{Code: last.Code, Kind: obis.Text, Text: text})
		return n, x.form != unclosed
	}
	ok = last.Kind == obis.Line && x.form != unclosed
	t.appendLine(text)
	return n, ok
}

// line appends a record of text that has no code.
func (t *Telegram) appendLine(text []byte) {
	t.Records = append(t.Records, obis.Record{Kind: obis.Line, Text: text})
}

// isLog tells if a code is that of a profile or a log (IEC 62056-6-2, 6.2.41): what stands in it was measured in the past.
func isLog(c obis.Code) bool { return c[2] == 98 || c[2] == 99 }

// beginsBlock reports whether the value that begins with the '(' at b[0] begins with a code that has a value of its own.
func beginsBlock(b []byte) bool {
	_, n := obis.ReadCode(b[1:])
	return n > 0 && n+1 < len(b) && b[n+1] == '('
}

// isLabel tells if b has the form of what meters send in place of a code of groups A-B:C.D.E: C.1.0, F.F, 1-1:30D, 1.8.0&01,
// 0:0.0.0*255. IEC 62056-21, 5.7 allows any 16 characters; a second ':' or an empty group is damage.
func isLabel(b []byte) bool {
	const longest = 24
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		medium, channel, split := bytes.Cut(b[:i], []byte("-"))
		if !isFigures(medium) || split && !isFigures(channel) {
			return false
		}
		b = b[i+1:]
	}
	empty := true
	for _, x := range b {
		switch {
		case x-'0' <= 9, (x|0x20)-'a' <= 'z'-'a':
			empty = false
		case (x == '.' || x == '*' || x == '&') && !empty:
			empty = true
		default:
			return false
		}
	}
	return !empty && len(b) <= longest
}

// isFigures tells if b is one to three figures.
func isFigures(b []byte) bool {
	for _, x := range b {
		if x-'0' > 9 {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 3
}

// cutLine returns where the text of the first line begins and ends, without blanks, and how many bytes the line takes.
func cutLine(b []byte) (start, end, n int) {
	n = len(b)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		n = i + 1
	}
	for end = n; end > 0 && isBlank(b[end-1]); {
		end--
	}
	for start < end && isBlank(b[start]) {
		start++
	}
	return start, end, n
}

// blanks returns how many bytes at the start of b are blanks or ends of lines.
func blanks(b []byte) (n int) {
	for n < len(b) && isBlank(b[n]) {
		n++
	}
	return n
}

// isBlank tells if x may stand around the parts of a line. A readout in mode C begins with STX (IEC 62056-21, 6.3.3).
func isBlank(x byte) bool {
	return x <= ' ' && (x == ' ' || x == '\t' || isLineEnd(x) || x == 2)
}

// trimmed returns b without blanks around it.
func trimmed(b []byte) []byte {
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	return b
}
