package bridge

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Value is one quantity as it is published. Unlike a Sample it owns its text.
type Value struct {
	ID quantity.ID
	// As is the index of the unit in the row's Measures.
	As uint8
	// Decimals is how many the number is written with: always the same for a quantity of a meter.
	Decimals uint8
	// Number is in the published unit; zero for a quantity that is text.
	Number obis.Decimal
	Text   string
}

// Append appends the bare value: 1727, 230.0, a text as it is.
func (v *Value) Append(dst []byte) []byte {
	if !v.ID.Row().Numeric() {
		return append(dst, v.Text...)
	}
	return v.Number.AppendFixed(dst, int(v.Decimals))
}

// known are the quantities that a meter has ever sent, each as first seen: what is announced, and how numbers are written.
type known struct {
	set [maxQuantities]bool
	all [maxQuantities]Value
}

// maxQuantities is above every quantity.ID.
const maxQuantities = 256

// value makes the Value of a sample. It allocates only for a text that differs from the last.
func (k *known) value(s *quantity.Sample) Value {
	v := Value{ID: s.ID, As: s.As, Number: s.Value, Decimals: uint8(s.Decimals())}
	last := &k.all[s.ID]
	if k.set[s.ID] {
		v.Decimals = last.Decimals
	}
	if v.Text = last.Text; v.Text != string(s.Text) {
		v.Text = string(s.Text)
	}
	k.set[s.ID], *last = true, v
	return v
}
