package obis_test

import (
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// ParseCode reads a code, and String writes the code in the same form. Groups C, D and E say what was measured.
func ExampleParseCode() {
	c, err := obis.ParseCode("1-0:1.8.0")
	fmt.Println(c, c.CDE(), err)
	_, err = obis.ParseCode("1-0:1.8")
	fmt.Println(err)
	// Output:
	// 1-0:1.8.0 [1 8 0] <nil>
	// obis: not a code of the form A-B:C.D.E, C.D.E or C.D, with or without *F
}

// Decimals are exact: 0.1 kW and 0.2 kW are 300 W. AppendFixed writes as many decimals as the meter sent.
func ExampleDecimal() {
	a, _ := obis.ParseDecimal([]byte("0000.100"))
	b, _ := obis.ParseDecimal([]byte("0000.200"))
	unit, prefix, _ := obis.ParseUnit([]byte("kW"))
	sum, _ := a.Add(b)
	watts := sum.Shift(prefix)
	fmt.Println(sum, watts, unit)
	fmt.Println(string(sum.AppendFixed(nil, 3)), sum.Cmp(obis.Decimal{Coef: 3, Exp: -1}))
	// Output:
	// 0.3 300 W
	// 0.300 0
}

// ParseUnit returns the unit without its prefix, and the prefix as a power of ten.
func ExampleParseUnit() {
	for _, text := range []string{"kWh", "kVArh", "A", "m3"} {
		unit, prefix, known := obis.ParseUnit([]byte(text))
		fmt.Println(unit, prefix, known)
	}
	// Output:
	// Wh 3 true
	// varh 3 true
	// A 0 true
	// m³ 0 true
}
