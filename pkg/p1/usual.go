package p1

import "github.com/hanbridge/hanbridge/pkg/obis"

// usual reads the value at the start of b where it is what most lines hold, a number with a unit and the end of the line:
// "(0000.345*kW)" CR LF. It returns the length with the line's end, 0 for anything else. It knows nothing that parseValue
// does not; it looks at each byte once.
func usual(r *obis.Record, b []byte) int {
	const longest = 32 // of a number with its unit
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
