package obis

import "bytes"

// A Kind says what the value of a Record is, and in which fields it is.
type Kind uint8

// The kinds of records.
const (
	// Empty is a code without a value: the meter sent "not available".
	Empty Kind = iota
	// Number is a number: Value in Unit, and Time if the meter sent a time stamp with it.
	Number
	// Text is a value that is neither a number nor a clock. Record.Text is the value as it was sent.
	Text
	// Clock is the time of the meter's clock, in Time.
	Clock
	// Line is a line of an ASCII telegram that has no OBIS code, or no value. Record.Text is the line with its label, and Record.Code is zero.
	// SplitLine separates the label of the line from its value.
	Line
)

// A Record is one item of a telegram as the meter sent it: a code and a value.
type Record struct {
	Code Code
	Kind Kind
	// Unit is the unit without a prefix, or None if the meter sent no unit.
	Unit Unit
	// Value is in Unit.
	Value Decimal
	// Time is the time of a Clock, or the time stamp of a Number.
	Time Time
	// Text is the value as it was sent. In ASCII telegrams every Kind has a Text, in binary telegrams only strings have a Text. Text refers to
	// the memory of the telegram, so it is valid only until that memory is reused.
	Text []byte
}

// SplitLine splits the Text of a Line. label is the text before the first '(', without blanks at its end. text is the value without its
// parentheses. If the line has several values, or does not end with ')', text keeps all parentheses. If the line has no '(', label is nil and
// text is the complete line. label and text are parts of r.Text.
func (r *Record) SplitLine() (label, text []byte) {
	i := bytes.IndexByte(r.Text, '(')
	if i < 0 {
		return nil, r.Text
	}
	label, text = bytes.TrimRight(r.Text[:i], " \t\r\n"), r.Text[i:]
	if last := len(text) - 1; last > 0 && text[last] == ')' && bytes.IndexByte(text[1:], '(') < 0 {
		text = text[1:last]
	}
	return label, text
}
