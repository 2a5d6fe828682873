package p1

import "bytes"

// A valueForm says how a value is written in lines.
type valueForm uint8

const (
	// oneLine is the usual form: the whole value is in one line.
	oneLine valueForm = iota
	// multiLineText is a text of several lines.
	multiLineText
	// lineBlock is a list of lines in parentheses, each with a code and a value. Hungarian meters of Holley send the values of the last
	// month like that:
	//
	//	0-0:98.1.0
	//	(
	//	0-0:1.0.0(250501000000S)
	//	1-0:1.8.0(030924.550*kWh)
	//	)
	lineBlock
	// unclosed is a value whose ')' is missing. If its first line ends with '(' and a lineBlock is possible, the value extends to the end of the
	// telegram. Otherwise it extends to the end of its first line.
	unclosed
)

// An extent says where a value ends, in bytes from its '(': valueEnd is after its ')', lineEnd after the end of its last line.
type extent struct {
	valueEnd, lineEnd int
	form              valueForm
}

// extentOf returns the extent of the value that begins with the '(' at b[0]. severalPossible is true if several values or a lineBlock are
// possible in place of one value.
func extentOf(b []byte, severalPossible bool) extent {
	_, end, lineEnd := cutLine(b)
	firstLine := b[:end]
	endsWithClose, endsWithOpen := firstLine[end-1] == ')', firstLine[end-1] == '('
	if isClosed := openParens(firstLine) <= 0; endsWithClose && (isClosed || !severalPossible) {
		return extent{end, lineEnd, oneLine}
	}
	if i := multiLineTextEnd(b); i > 0 && !endsWithClose {
		return extentToLineEnd(b, i, multiLineText)
	}
	if i := blockEnd(b); i > 0 && (endsWithOpen || severalPossible) {
		return extentToLineEnd(b, i, lineBlock)
	}
	// A first line that ends neither with '(' nor with ')' begins a lineBlock too, if a later line is only a ')'.
	if i := loneParenEnd(b, lineEnd); i > 0 && !endsWithClose && !endsWithOpen {
		return extentToLineEnd(b, i, lineBlock)
	}
	switch {
	case endsWithOpen && severalPossible:
		return extent{len(trimmed(b)), len(b), unclosed}
	case endsWithClose:
		return extent{end, lineEnd, oneLine}
	}
	return extent{end, lineEnd, unclosed}
}

// extentToLineEnd returns the extent of a value whose ')' is b[i-1].
func extentToLineEnd(b []byte, i int, f valueForm) extent {
	_, _, n := cutLine(b[i:])
	return extent{i, i + n, f}
}

// blockEnd returns the index after the ')' of the lineBlock that begins with the '(' at b[0], or 0 if the block has no end. If the first line
// ends with '(', the block ends with the next line that is only a ')'. In all other cases, the block ends with the line that closes all its
// parentheses.
func blockEnd(b []byte) int {
	_, end, n := cutLine(b)
	if b[end-1] == '(' {
		if i := loneParenEnd(b, n); i > 0 {
			return i
		}
	}
	open := 0
	for i := 0; i < len(b); {
		start, end, n := cutLine(b[i:])
		open += openParens(b[i+start : i+end])
		if open <= 0 {
			return i + end
		}
		i += n
	}
	return 0
}

// loneParenEnd returns the end of the first line from b[i] on that is only a ')'. It returns 0 if another block begins before such a line, or
// if there is no such line.
func loneParenEnd(b []byte, i int) int {
	for i < len(b) {
		start, end, n := cutLine(b[i:])
		switch text := b[i+start : i+end]; {
		case len(text) == 0:
		case len(text) == 1 && text[0] == ')':
			return i + end
		case text[len(text)-1] == '(':
			return 0
		}
		i += n
	}
	return 0
}

// openParens returns the number of '(' in b minus the number of ')'.
func openParens(b []byte) int { return bytes.Count(b, []byte{'('}) - bytes.Count(b, []byte{')'}) }

// multiLineTextEnd returns the end of the text that begins with the '(' at b[0] and ends in a later line. It returns 0 if a later line of the
// text is possibly a code with a value: it has a '(' and no space before it. It also returns 0 if the line that closes the text does not end
// with ')'.
func multiLineTextEnd(b []byte) int {
	_, end, i := cutLine(b)
	open := openParens(b[:end])
	for i < len(b) {
		start, end, n := cutLine(b[i:])
		text := b[i+start : i+end]
		open += openParens(text)
		if k := bytes.IndexByte(text, '('); k >= 0 && bytes.IndexByte(text[:k], ' ') < 0 {
			return 0
		}
		if open <= 0 && (len(text) == 0 || text[len(text)-1] != ')') {
			return 0
		}
		if open <= 0 {
			return i + end
		}
		i += n
	}
	return 0
}
