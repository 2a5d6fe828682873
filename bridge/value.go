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
