package p1

import "bytes"

// A form is how a value stands in its lines.
type valueForm uint8

const (
	// oneLine is the usual form: all of it is in one line.
	oneLine valueForm = iota
	// words are a text that goes over several lines.
	multiLineText
	// block is a list of lines between parentheses, each with a code and a value of its own. Hungarian meters of Holley send the
	// month before like that:
	//
	//	0-0:98.1.0
	//	(
	//	0-0:1.0.0(250501000000S)
	//	1-0:1.8.0(030924.550*kWh)
	//	)
	lineBlock
	// unclosed is a value whose ')' is missing. Where it would be a block, that is the rest of the telegram.
	unclosed
)

// an extent is how far a value goes, in bytes from its '(': end is behind its ')', n behind the end of its last line.
type extent struct {
	valueEnd, lineEnd int
	form              valueForm
}

// extentOf returns how far the value goes that begins with the '(' at b[0]. Many tells that it may be several values.
func extentOf(b []byte, many bool) extent {
	_, end, n := cutLine(b)
	first := b[:end]
	closes, opens := first[end-1] == ')', first[end-1] == '('
	if closes && (!many || openParens(first) <= 0) {
		return extent{end, n, oneLine}
	}
	if i := multiLineTextEnd(b); i > 0 && !closes {
		return extentToLineEnd(b, i, multiLineText)
	}
	if i := blockEnd(b); i > 0 && (opens || many) {
		return extentToLineEnd(b, i, lineBlock)
	}
	if i := loneParenEnd(b, n); i > 0 && !closes && !opens {
		return extentToLineEnd(b, i, lineBlock)
	}
	switch {
	case opens && many:
		return extent{len(trimmed(b)), len(b), unclosed}
	case closes:
		return extent{end, n, oneLine}
	}
	return extent{end, n, unclosed}
}

// upTo is an extent that ends with the line in which b[i-1] stands.
func extentToLineEnd(b []byte, i int, f valueForm) extent {
	_, _, n := cutLine(b[i:])
	return extent{i, i + n, f}
}

// blockEnd returns where the block that begins with the '(' at b[0] ends, behind its ')'; 0 where it has no end. Where the
// first line ends with a '(', a ')' alone on a line ends the block, whatever stands between; else parentheses are counted.
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

// aloneEnd returns where the first line from b[i] on ends that is a ')', 0 where there is none before another block begins.
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

// depth returns how many parentheses open in b and do not close.
func openParens(b []byte) int { return bytes.Count(b, []byte{'('}) - bytes.Count(b, []byte{')'}) }

// wordsEnd returns the end of the text that begins with the '(' at b[0], in a later line; 0 where another code or value comes first.
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
