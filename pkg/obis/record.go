package obis

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
