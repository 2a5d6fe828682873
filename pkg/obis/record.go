package obis

import "bytes"

// A Kind says which fields of a Record hold its value.
type Kind uint8

// The kinds of records.
const (
	// Empty is a code without a value: the meter said that it is not available.
	Empty Kind = iota
	// Number is Value in Unit; Time too where the meter stamped it.
	Number
	// Text is everything else, in Text, as sent.
	Text
	// Clock is Time.
	Clock
	// Line is a line of a telegram of text that has no code of the form A-B:C.D.E, or no value. All of it is in Text, Code is
	// zero; SplitLine takes it apart.
	Line
)

// A Record is one item of a telegram as the meter sent it: a code and a value.
type Record struct {
	Code Code
	Kind Kind
	// Unit is without prefix; None where the meter sent none.
	Unit Unit
	// Value is in Unit.
	Value Decimal
	// Time is the clock, or the stamp of a Number.
	Time Time
	// Text is the value's own bytes, whatever the Kind, where the telegram is text; in binary telegrams those of a
	// string. It belongs to the telegram: copy it to keep it.
	Text []byte
}

// SplitLine takes the Text of a Line apart: the label that stands where others have a code, as sent, and what stands behind
// it: its value without parentheses, or several in theirs. A line that has no label is all text.
func (r *Record) SplitLine() (label, text []byte) {
	i := bytes.IndexByte(r.Text, '(')
	if i < 0 {
		return nil, r.Text
	}
	label, text = bytes.TrimRight(r.Text[:i], " \t\r\n"), r.Text[i:]
	if inner := len(text) - 1; inner > 0 && text[inner] == ')' && bytes.IndexByte(text[1:], '(') < 0 {
		text = text[1:inner]
	}
	return label, text
}
