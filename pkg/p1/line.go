package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// parseLine appends the records of the line at the start of b. It returns the length in bytes of the line with its end, or of all lines of its
// value. ok is false if a telegram without a checksum must not contain the line. An empty line is well formed and has no record.
func (t *Telegram) parseLine(b []byte) (n int, ok bool) {
	if isLineEnd(b[0]) { // CR and LF of an empty line are skipped one by one
		return 1, true
	}
	if b[0] == '(' {
		return t.continuationLine(b, 0)
	}
	code, i := t.readCode(len(t.Records), b)
	if i > 0 && i < len(b) && b[i] == '(' { // a code and a value; in most lines the value ends with the line
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
	valueStart := bytes.IndexByte(b[start:end], '(')
	switch {
	case valueStart == 0:
		return t.continuationLine(b, start)
	case valueStart > 0:
		return t.item(b, start, start+valueStart)
	}
	if next := n + blanks(b[n:]); next < len(b) && b[next] == '(' { // the value is on the next line
		return t.item(b, start, next)
	}
	t.appendLine(b[start:end])
	return n, false
}

// oneLineItem fills the last record from the value that begins with the '(' at b[i], if the value ends with its line. It returns the length
// of the line in bytes with its end, or 0 if the value possibly continues in the next line.
func (t *Telegram) oneLineItem(b []byte, i int) (n int) {
	if n = bytes.IndexByte(b, '\n') + 1; n == 0 {
		return 0
	}
	end := n - 1
	for isLineEnd(b[end]) {
		end--
	}
	text := b[i : end+1]
	canBeBlock := isLog(t.Records[len(t.Records)-1].Code) || beginsBlock(text)
	if b[end] != ')' || canBeBlock && openParens(text) > 0 {
		return 0
	}
	t.fillValue(text, oneLine)
	return n
}

// item appends the record of the code or label at b[start] and the value that begins with the '(' at b[valueStart]. Results are as in
// parseLine.
func (t *Telegram) item(b []byte, start, valueStart int) (n int, ok bool) {
	name := trimmed(b[start:valueStart])
	code, size := obis.ReadCode(name)
	hasCode := size == len(name)
	valueOnNextLine := bytes.IndexByte(b[start:valueStart], '\n') >= 0
	severalPossible := !hasCode || isLog(code) || valueOnNextLine || beginsBlock(b[valueStart:])
	x := extentOf(b[valueStart:], severalPossible)
	text := b[valueStart : valueStart+x.valueEnd]
	switch ok = x.form != unclosed; {
	case hasCode && (x.form == oneLine || isLog(code)):
		t.Records = append(t.Records, obis.Record{Code: code})
		t.fillValue(text, x.form)
	case hasCode && x.form == multiLineText:
		t.Records = append(t.Records, obis.Record{Code: code, Kind: obis.Text, Text: text[1 : len(text)-1]})
		ok = !mayHaveUnit(code)
	default:
		t.appendLine(b[start : valueStart+x.valueEnd])
		ok = ok && (hasCode || isLabel(name))
	}
	return valueStart + x.lineEnd, ok
}

// fillValue fills the last record from text, its value in parentheses. A value in several lines stays a text, because it has past values.
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

// continuationLine reads a line that begins with the '(' at b[start]. Such a line has more values of the log or label in the line before, or
// the value of a DSMR 2.2 sub-meter. More values of a log become a Text, more values of a label become a Line. After any other line, the values
// become a Line too, but ok is false.
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
			t.appendLine(text) // the last record is not of the form of DSMR 2.2
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

// appendLine appends a Line record.
func (t *Telegram) appendLine(text []byte) {
	t.Records = append(t.Records, obis.Record{Kind: obis.Line, Text: text})
}

// isLog reports whether a code is that of a profile or log (IEC 62056-6-2, 6.2.41), whose values were measured in the past.
func isLog(c obis.Code) bool { return c[2] == 98 || c[2] == 99 }

// beginsBlock reports whether the value that begins with the '(' at b[0] begins with a code and its value, such as (1-0:1.8.0(2*kWh).
func beginsBlock(b []byte) bool {
	_, n := obis.ReadCode(b[1:])
	return n > 0 && n+1 < len(b) && b[n+1] == '('
}

// isLabel reports whether b has the form of a label, which meters send in place of an OBIS code: C.1.0, F.F, 1-1:30D, 1.8.0&01, 0:0.0.0*255.
// IEC 62056-21, 5.7 allows any 16 characters, but a second ':' or an empty group is a sign of damage.
func isLabel(b []byte) bool {
	const maxLabel = 24 // characters after the ':', more than the standard allows
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		medium, channel, hasChannel := bytes.Cut(b[:i], []byte("-"))
		if !isFigures(medium) || hasChannel && !isFigures(channel) {
			return false
		}
		b = b[i+1:]
	}
	emptyGroup := true
	for _, x := range b {
		switch {
		case x-'0' <= 9, (x|0x20)-'a' <= 'z'-'a':
			emptyGroup = false
		case (x == '.' || x == '*' || x == '&') && !emptyGroup:
			emptyGroup = true
		default:
			return false
		}
	}
	return !emptyGroup && len(b) <= maxLabel
}

// isFigures reports whether b is one to three decimal digits.
func isFigures(b []byte) bool {
	for _, x := range b {
		if x-'0' > 9 {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 3
}

// cutLine returns where the text of the first line begins and ends, without blanks around it. n is the length of the line in bytes with its
// line end.
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

// blanks returns the number of bytes at the start of b that are blanks or line ends.
func blanks(b []byte) (n int) {
	for n < len(b) && isBlank(b[n]) {
		n++
	}
	return n
}

// isBlank reports whether x is a blank, a line end or STX. STX begins a readout in mode C (IEC 62056-21, 6.3.3).
func isBlank(x byte) bool {
	const stx = 2
	return x <= ' ' && (x == ' ' || x == '\t' || isLineEnd(x) || x == stx)
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
