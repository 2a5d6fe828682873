package meter

// landisgyr sends ASCII (E360), lists like Aidon's through modules of EMBRIQ (E350 in Norway), push lists in blocks without
// scalers (E450 in Switzerland, with currents in 0.01 A, and E570 behind transformers, in A), and a list without codes (E450 in Burgenland and Slovenia; those of Vienna are in layout.go).
var landisgyr = family{
	name: "landisgyr", make: "Landis+Gyr",
	flags:  []string{"LGF", "LGZ", "XMX"},
	lists:  []string{"EMBRIQ"},
	frames: []addresses{{[]byte{0xCE, 0xFF}, []byte{0x03}}},
	units:  &exponents{energy: 0, factor: -3, currents: []int8{-2, 0}},
}

// landisgyrLayouts: voltages are in V, currents in 0.01 A.
var landisgyrLayouts = []layout{
	// Netz Burgenland. What three numbers of the longer list are is not known.
	{family: &landisgyr, types: "wwwwwwuuuut", codes: row(
		"32.7.0", "52.7.0", "72.7.0", "31.7.0", "51.7.0", "71.7.0", "1.7.0", "2.7.0", "1.8.0", "2.8.0", "0-0:96.1.0")},
	{family: &landisgyr, types: "wwwwwwuuuuwwwt", codes: row(
		"32.7.0", "52.7.0", "72.7.0", "31.7.0", "51.7.0", "71.7.0", "1.7.0", "2.7.0", "1.8.0", "2.8.0", "", "", "", "0-0:96.1.0")},
	// Slovenia, two lists by turns: the number of the meter, then that of its place.
	{family: &landisgyr, own: true, types: "tuuuuuuuu", codes: row(
		"0-0:96.1.0", "1.7.0", "2.7.0", "3.7.0", "4.7.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0")},
	{family: &landisgyr, own: true, types: "twwwwwwwuuuuuu", codes: row(
		"0-0:96.1.2", "14.7.0", "31.7.0", "51.7.0", "71.7.0", "32.7.0", "52.7.0", "72.7.0",
		"21.7.0", "41.7.0", "61.7.0", "22.7.0", "42.7.0", "62.7.0")},
}
