package meter

// landisgyr sends ASCII (E360), lists like Aidon's through modules of EMBRIQ (E350 in Norway), push lists in blocks without
// scalers (E450, E570 in Switzerland), and a list without codes (E450 in Burgenland).
var landisgyr = family{
	name: "landisgyr", make: "Landis+Gyr",
	flags:  []string{"LGF", "LGZ", "XMX"},
	lists:  []string{"EMBRIQ"},
	frames: []addresses{{[]byte{0xCE, 0xFF}, []byte{0x03}}},
}

// landisgyrLayouts are the lists of Netz Burgenland. What three numbers of the longer one are is not known.
var landisgyrLayouts = []layout{
	{family: &landisgyr, types: "wwwwwwuuuut", codes: row(
		"32.7.0", "52.7.0", "72.7.0", "31.7.0", "51.7.0", "71.7.0", "1.7.0", "2.7.0", "1.8.0", "2.8.0", "0-0:96.1.0")},
	{family: &landisgyr, types: "wwwwwwuuuuwwwt", codes: row(
		"32.7.0", "52.7.0", "72.7.0", "31.7.0", "51.7.0", "71.7.0", "1.7.0", "2.7.0", "1.8.0", "2.8.0", "", "", "", "0-0:96.1.0")},
}
