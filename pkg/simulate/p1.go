package simulate

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Families that send ASCII telegrams. What stands in each is in the folder telegrams. Makes differ in what they call themselves, the
// order of lines, the spelling of units, and the sign of currents.

func swedishP1Families() []Family {
	behind := text{file: "p1-se-aidon-6560", zone: swedishNormal, ratio: 20}
	return each(Family{Country: "SE", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-se-aidon", title: "Swedish P1, Aidon 6534", make: "Aidon", wire: swedishNormal.ascii("p1-se", "ADN9 6534")},
		row{name: "p1-se-aidon-1p", title: "Swedish P1, Aidon 6515, one phase", make: "Aidon", phases: 1, wire: swedishNormal.ascii("p1-se-aidon-1p", "")},
		row{name: "p1-se-aidon-6560", title: "Swedish P1, Aidon 6560, behind current transformers", make: "Aidon", ratio: 20, wire: behind.encoder()},
		row{name: "p1-se-kamstrup", title: "Swedish P1, Kamstrup OMNIPOWER", make: "Kamstrup", wire: centralEuropean.ascii("p1-se-kamstrup", "")},
		row{name: "p1-se-kaifa", title: "Swedish P1, Kaifa MA304H4E", make: "Kaifa", wire: swedishNormal.ascii("p1-se", "KFM5KAIFA-METER")},
		row{name: "p1-se-landisgyr", title: "Swedish P1, Landis+Gyr E360", make: "Landis+Gyr", wire: swedishNormal.ascii("p1-se", "LGF5E360")},
		row{name: "p1-se-sagemcom", title: "Swedish P1, Sagemcom of Ellevio", make: "Sagemcom", wire: swedishNormal.ascii("p1-se-sagemcom", "")},
		row{name: "p1-fi-aidon", title: "Finnish P1, Aidon 7534", make: "Aidon", country: "FI", wire: finnish.ascii("p1-fi-aidon", "")},
	)
}

// nordicP1Families are those that follow the Swedish recommendation with some difference, or hardly at all.
func nordicP1Families() []Family {
	return each(Family{Country: "DK", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-fi-landisgyr", title: "Finnish P1, Landis+Gyr E360", make: "Landis+Gyr", country: "FI", wire: finnish.ascii("p1-se", "LGF5E360")},
		row{name: "p1-dk-landisgyr", title: "Danish P1, Landis+Gyr E360", make: "Landis+Gyr", wire: swedishNormal.ascii("p1-se", "LGF5E360")},
		row{name: "p1-dk-nes", title: "Danish P1, NES", make: "NES", line: "115200 8E1", wire: centralEuropean.ascii("p1-dk-nes", "")},
		row{name: "p1-se-iskra", title: "Swedish P1 of E.ON, Iskraemeco AM550", make: "Iskraemeco", country: "SE", wire: swedishNormal.ascii("p1-se-iskra", "")},
	)
}

func dutchFamilies() []Family {
	return each(Family{Country: "NL", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-nl-22", title: "Dutch P1, DSMR 2.2, Iskraemeco MT382", make: "Iskraemeco", wire: text{file: "p1-nl-22", zone: centralEuropean, sum: noSum}.encoder(), line: oldLine},
		row{name: "p1-nl-22-kamstrup", title: "Dutch P1, DSMR 2.2, Kamstrup 162", make: "Kamstrup", wire: text{file: "p1-nl-22-kamstrup", zone: centralEuropean, sum: noSum}.encoder(), line: oldLine},
		row{name: "p1-nl-3", title: "Dutch P1, DSMR 3.0, Iskraemeco MT382", make: "Iskraemeco", wire: text{file: "p1-nl-3", zone: centralEuropean, sum: noSum}.encoder(), line: oldLine},
		row{name: "p1-nl-4-kaifa", title: "Dutch P1, DSMR 4.2, Kaifa", make: "Kaifa", wire: centralEuropean.ascii("p1-nl-4", "KFM5KAIFA-METER")},
		row{name: "p1-nl-4-landisgyr", title: "Dutch P1, DSMR 4.0, Landis+Gyr E350", make: "Landis+Gyr", wire: centralEuropean.ascii("p1-nl-4-landisgyr", "")},
		row{name: "p1-nl-4-iskra", title: "Dutch P1, DSMR 4.2, Iskraemeco MT382", make: "Iskraemeco", wire: centralEuropean.ascii("p1-nl-4", `ISK5\2ME382-1003`)},
		row{name: "p1-nl-4-kamstrup", title: "Dutch P1, DSMR 4.2, Kamstrup 162", make: "Kamstrup", wire: centralEuropean.ascii("p1-nl-4", "KMP5 KA6U000000000001")},
		row{name: "p1-nl-5", title: "Dutch P1, DSMR 5.0, Sagemcom, gas replaced, water", make: "Sagemcom", wire: centralEuropean.ascii("p1-nl-5", ""), every: 1000},
		row{name: "p1-nl-5-iskra", title: "Dutch P1, DSMR 5.0, Iskraemeco AM550, gas", make: "Iskraemeco", wire: centralEuropean.ascii("p1-nl-5-iskra", ""), every: 1000},
		row{name: "p1-nl-heat", title: "Dutch P1, WarmteLink, heat alone", make: "Iskraemeco", wire: text{file: "p1-nl-heat", zone: centralEuropean, sum: lowerSum}.encoder()},
	)
}

func belgianFamilies() []Family {
	belgian := func(file string) encoder {
		return text{file: file, zone: centralEuropean, dayFirst: true}.encoder()
	}
	return each(Family{Make: "Sagemcom", Country: "BE", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-be", title: "Belgian P1, Fluvius, gas and water", wire: belgian("p1-be"), every: 1000},
		row{name: "p1-be-1p", title: "Belgian P1, Fluvius, gas, one phase", wire: belgian("p1-be-1p"), every: 1000, phases: 1},
	)
}

func easternFamilies() []Family {
	return each(Family{Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-hu-sagemcom", title: "Hungarian P1, Sagemcom", make: "Sagemcom", country: "HU", wire: centralEuropean.ascii("p1-hu-sagemcom", "")},
		row{name: "p1-hu-d545", title: "Hungarian P1, Holley D545", make: "Holley", country: "HU", wire: centralEuropean.ascii("p1-hu-d545", "")},
		row{name: "p1-hu-sanxing", title: "Hungarian P1, Sanxing, text of bytes FF", make: "Sanxing", country: "HU", wire: centralEuropean.ascii("p1-hu-sanxing", "")},
		row{name: "p1-lt", title: "Lithuanian P1", make: "Iskraemeco", country: "LT", wire: finnish.ascii("p1-lt", "")},
		row{name: "p1-lt-early", title: "Lithuanian P1 of ESO, Sagemcom, early firmware", make: "Sagemcom", country: "LT", wire: finnish.ascii("p1-lt-early", "")},
		row{name: "p1-lu-plain", title: "Luxembourgish P1, Sagemcom, not encrypted", make: "Sagemcom", country: "LU", wire: centralEuropean.ascii("p1-lu", "")},
		row{name: "p1-at-est5-plain", title: "Styrian P1, Sagemcom T210-D, not encrypted", make: "Sagemcom", country: "AT", wire: centralEuropean.ascii("p1-at-est5", "")},
		row{name: "p1-pl-plain", title: "Polish P1, Elgama, not encrypted", make: "Elgama", country: "PL", wire: centralEuropean.ascii("p1-pl", "EGM5G35")},
		row{name: "p1-ch", title: "Swiss P1, Sagemcom XT211", make: "Sagemcom", country: "CH", wire: centralEuropean.ascii("p1-ch", "")},
		row{name: "p1-hr", title: "Croatian P1, Iskraemeco IE.5", make: "Iskraemeco", country: "HR", wire: centralEuropean.ascii("p1-hr", "")},
		row{name: "p1-si", title: "Slovene P1, Iskraemeco AM550", make: "Iskraemeco", country: "SI", wire: text{file: "p1-si", zone: centralEuropean, sum: noSum}.encoder(), line: "115200 7E1"},
		row{name: "p1-de-easymeter", title: "German D0, EasyMeter Q3D", make: "EasyMeter", country: "DE", wire: text{file: "p1-de-easymeter", zone: centralEuropean, sum: noSum}.encoder(), line: oldLine, connector: optical, every: 2000},
	)
}

// P1 meters that encrypt: Luxembourg and Styria send a general-glo-ciphering of a whole telegram bare on the line, Warsaw
// sends the name in clear.

// headless encrypts the lines of a telegram, with an empty title and a counter of 0.
func headless(e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		clear := e(nil, s)
		ident, lines, _ := bytes.Cut(clear, []byte("\r\n\r\n"))
		apdu := dlms.AppendCiphered(nil, keyOf(s), nil, authenticated, 0, lines[:bytes.LastIndexByte(lines, '!')])
		return p1.AppendCiphered(dst, string(ident[1:]), apdu[1:]) // without the tag of the APDU
	}
}

func cipheredTextFamilies() []Family {
	const sagemcom = "SAG\x67\x00\x00\x00\x01"
	return each(Family{Make: "Sagemcom", Connector: rj12, Line: p1Line, Cipher: authenticated}, nil,
		row{name: "p1-lu", title: "Luxembourgish P1, Sagemcom", country: "LU", wire: sealed(sagemcom, authenticated, centralEuropean.ascii("p1-lu", ""))},
		row{name: "p1-at-est5", title: "Styrian P1, Sagemcom T210-D", country: "AT", wire: sealed(sagemcom, authenticated, centralEuropean.ascii("p1-at-est5", ""))},
		row{name: "p1-pl", title: "Polish P1, Elgama, name in clear", make: "Elgama", country: "PL", wire: headless(centralEuropean.ascii("p1-pl", "EGM5G35"))},
		row{name: "p1-pl-kaifa", title: "Polish P1, Kaifa MA309M, name in clear", make: "Kaifa", country: "PL", wire: headless(centralEuropean.ascii("p1-pl", "KFM5KAIFA-METER"))},
	)
}
