package meter

// kaifa sends its lists KFM_001 without codes in Norway, as pairs without scalers in Sweden (both in mA and 0.1 V), with
// both in Austria and Poland (Kaifa HAN OBIS codes KFM_001; Austria's Energy, smart meter customer interfaces).
var kaifa = family{
	name: "kaifa", make: "Kaifa",
	flags: []string{"KFM"},
	lists: []string{"KFM_"},
	frames: []addresses{
		{[]byte{0x01}, []byte{0x02, 0x01}}, // Norway
		{[]byte{0x01}, []byte{0x00, 0x01}}, // Sweden
	},
	units: &exponents{energy: 0, factor: -3, currents: []int8{-3}},
}

// kaifaLayouts are KFM_001 of one and three phases, every 2 s, 10 s and hour. The energies of MA304T4 have 64 bits.
var kaifaLayouts = []layout{
	{family: &kaifa, types: "u", codes: row("1.7.0")},
	{family: &kaifa, types: "tttuuuuuu", first: "KFM_", codes: row(
		"1-1:0.2.129", "0-0:96.1.0", "0-0:96.1.7", "1.7.0", "2.7.0", "3.7.0", "4.7.0", "31.7.0", "32.7.0")},
	{family: &kaifa, types: "tttuuuuuuuuuu", first: "KFM_", codes: row(
		"1-1:0.2.129", "0-0:96.1.0", "0-0:96.1.7", "1.7.0", "2.7.0", "3.7.0", "4.7.0",
		"31.7.0", "51.7.0", "71.7.0", "32.7.0", "52.7.0", "72.7.0")},
	{family: &kaifa, types: "tttuuuuuucuuuu", first: "KFM_", codes: row(
		"1-1:0.2.129", "0-0:96.1.0", "0-0:96.1.7", "1.7.0", "2.7.0", "3.7.0", "4.7.0", "31.7.0", "32.7.0",
		"0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0")},
	{family: &kaifa, types: "tttuuuuuuuuuucuuuu", first: "KFM_", codes: row(
		"1-1:0.2.129", "0-0:96.1.0", "0-0:96.1.7", "1.7.0", "2.7.0", "3.7.0", "4.7.0",
		"31.7.0", "51.7.0", "71.7.0", "32.7.0", "52.7.0", "72.7.0", "0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0")},
}
