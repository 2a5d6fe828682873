package simulate

import (
	"bytes"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Families that send ASCII telegrams. Their text is in the folder telegrams. Manufacturers differ in the identification line, the order of lines,
// the spelling of units, and the sign of currents.

// nordicP1Families returns families of Swedish meters, and of a Finnish meter whose telegrams are similar.
func nordicP1Families() []Family {
	withTransformers := asciiTelegram{file: "p1-se-aidon-6560", zone: standardTimeAllYear, ratio: 20}
	return withDefaults(Family{Country: "SE", Connector: rj12, Line: p1Line}, nil, []Family{
		{Name: "p1-se-aidon", Title: "Swedish P1, Aidon 6534", Make: "Aidon", encode: standardTimeAllYear.telegram("p1-se", "ADN9 6534")},
		{Name: "p1-se-aidon-1p", Title: "Swedish P1, Aidon 6515, one phase", Make: "Aidon", Phases: 1, encode: standardTimeAllYear.telegram("p1-se-aidon-1p", "")},
		{Name: "p1-se-aidon-6560", Title: "Swedish P1, Aidon 6560, with current transformers", Make: "Aidon", Ratio: 20, encode: withTransformers.encoder()},
		{Name: "p1-se-kamstrup", Title: "Swedish P1, Kamstrup OMNIPOWER", Make: "Kamstrup", encode: centralEuropean.telegram("p1-se-kamstrup", "")},
		{Name: "p1-se-kaifa", Title: "Swedish P1, Kaifa MA304H4E", Make: "Kaifa", encode: standardTimeAllYear.telegram("p1-se", "KFM5KAIFA-METER")},
		{Name: "p1-se-landisgyr", Title: "Swedish P1, Landis+Gyr E360", Make: "Landis+Gyr", encode: standardTimeAllYear.telegram("p1-se", "LGF5E360")},
		{Name: "p1-se-sagemcom", Title: "Swedish P1, Sagemcom of Ellevio", Make: "Sagemcom", encode: standardTimeAllYear.telegram("p1-se-sagemcom", "")},
		{Name: "p1-fi-aidon", Title: "Finnish P1, Aidon 7534", Make: "Aidon", Country: "FI", encode: easternEuropean.telegram("p1-fi-aidon", "")},
	})
}

// otherP1Families returns the families of ASCII telegrams that nordicP1Families does not return. Families lists them last.
func otherP1Families() []Family {
	const sagemcom = "SAG\x67\x00\x00\x00\x01" // system title
	belgian := func(file string) encoder {
		return asciiTelegram{file: file, zone: centralEuropean, tariff1IsDay: true}.encoder()
	}
	return withDefaults(Family{Connector: rj12, Line: p1Line}, nil, []Family{
		{Name: "p1-fi-landisgyr", Title: "Finnish P1, Landis+Gyr E360", Make: "Landis+Gyr", Country: "FI", encode: easternEuropean.telegram("p1-se", "LGF5E360")},
		{Name: "p1-dk-landisgyr", Title: "Danish P1, Landis+Gyr E360", Make: "Landis+Gyr", Country: "DK", encode: standardTimeAllYear.telegram("p1-se", "LGF5E360")},
		{Name: "p1-dk-nes", Title: "Danish P1, NES", Make: "NES", Country: "DK", Line: "115200 8E1", encode: centralEuropean.telegram("p1-dk-nes", "")},
		{Name: "p1-se-iskra", Title: "Swedish P1 of E.ON, Iskraemeco AM550", Make: "Iskraemeco", Country: "SE", encode: standardTimeAllYear.telegram("p1-se-iskra", "")},
		{Name: "p1-nl-22", Title: "Dutch P1, DSMR 2.2, Iskraemeco MT382", Make: "Iskraemeco", Country: "NL", encode: asciiTelegram{file: "p1-nl-22", zone: centralEuropean, checksum: withoutChecksum}.encoder(), Line: dsmr2Line},
		{Name: "p1-nl-22-kamstrup", Title: "Dutch P1, DSMR 2.2, Kamstrup 162", Make: "Kamstrup", Country: "NL", encode: asciiTelegram{file: "p1-nl-22-kamstrup", zone: centralEuropean, checksum: withoutChecksum}.encoder(), Line: dsmr2Line},
		{Name: "p1-nl-3", Title: "Dutch P1, DSMR 3.0, Iskraemeco MT382", Make: "Iskraemeco", Country: "NL", encode: asciiTelegram{file: "p1-nl-3", zone: centralEuropean, checksum: withoutChecksum}.encoder(), Line: dsmr2Line},
		{Name: "p1-nl-4-kaifa", Title: "Dutch P1, DSMR 4.2, Kaifa", Make: "Kaifa", Country: "NL", encode: centralEuropean.telegram("p1-nl-4", "KFM5KAIFA-METER")},
		{Name: "p1-nl-4-landisgyr", Title: "Dutch P1, DSMR 4.0, Landis+Gyr E350", Make: "Landis+Gyr", Country: "NL", encode: centralEuropean.telegram("p1-nl-4-landisgyr", "")},
		{Name: "p1-nl-4-iskra", Title: "Dutch P1, DSMR 4.2, Iskraemeco MT382", Make: "Iskraemeco", Country: "NL", encode: centralEuropean.telegram("p1-nl-4", `ISK5\2ME382-1003`)},
		{Name: "p1-nl-4-kamstrup", Title: "Dutch P1, DSMR 4.2, Kamstrup 162", Make: "Kamstrup", Country: "NL", encode: centralEuropean.telegram("p1-nl-4", "KMP5 KA6U000000000001")},
		{Name: "p1-nl-5", Title: "Dutch P1, DSMR 5.0, Sagemcom, replaced gas meter, water meter", Make: "Sagemcom", Country: "NL", encode: centralEuropean.telegram("p1-nl-5", ""), Interval: time.Second},
		{Name: "p1-nl-5-iskra", Title: "Dutch P1, DSMR 5.0, Iskraemeco AM550, gas", Make: "Iskraemeco", Country: "NL", encode: centralEuropean.telegram("p1-nl-5-iskra", ""), Interval: time.Second},
		{Name: "p1-nl-heat", Title: "Dutch P1, WarmteLink, only heat", Make: "Iskraemeco", Country: "NL", encode: asciiTelegram{file: "p1-nl-heat", zone: centralEuropean, checksum: lowerCaseChecksum}.encoder()},
		{Name: "p1-be", Title: "Belgian P1, Fluvius, gas and water", Make: "Sagemcom", Country: "BE", encode: belgian("p1-be"), Interval: time.Second},
		{Name: "p1-be-1p", Title: "Belgian P1, Fluvius, gas, one phase", Make: "Sagemcom", Country: "BE", encode: belgian("p1-be-1p"), Interval: time.Second, Phases: 1},
		{Name: "p1-hu-sagemcom", Title: "Hungarian P1, Sagemcom", Make: "Sagemcom", Country: "HU", encode: centralEuropean.telegram("p1-hu-sagemcom", "")},
		{Name: "p1-hu-d545", Title: "Hungarian P1, Holley D545", Make: "Holley", Country: "HU", encode: centralEuropean.telegram("p1-hu-d545", "")},
		{Name: "p1-hu-sanxing", Title: "Hungarian P1, Sanxing, text message of bytes FF", Make: "Sanxing", Country: "HU", encode: centralEuropean.telegram("p1-hu-sanxing", "")},
		{Name: "p1-lt", Title: "Lithuanian P1", Make: "Iskraemeco", Country: "LT", encode: easternEuropean.telegram("p1-lt", "")},
		{Name: "p1-lt-early", Title: "Lithuanian P1 of ESO, Sagemcom, early firmware", Make: "Sagemcom", Country: "LT", encode: easternEuropean.telegram("p1-lt-early", "")},
		{Name: "p1-lu-plain", Title: "Luxembourgish P1, Sagemcom, not encrypted", Make: "Sagemcom", Country: "LU", encode: centralEuropean.telegram("p1-lu", "")},
		{Name: "p1-at-est5-plain", Title: "Styrian P1, Sagemcom T210-D, not encrypted", Make: "Sagemcom", Country: "AT", encode: centralEuropean.telegram("p1-at-est5", "")},
		{Name: "p1-pl-plain", Title: "Polish P1, Elgama, not encrypted", Make: "Elgama", Country: "PL", encode: centralEuropean.telegram("p1-pl", "EGM5G35")},
		{Name: "p1-ch", Title: "Swiss P1, Sagemcom XT211", Make: "Sagemcom", Country: "CH", encode: centralEuropean.telegram("p1-ch", "")},
		{Name: "p1-hr", Title: "Croatian P1, Iskraemeco IE.5", Make: "Iskraemeco", Country: "HR", encode: centralEuropean.telegram("p1-hr", "")},
		{Name: "p1-si", Title: "Slovene P1, Iskraemeco AM550", Make: "Iskraemeco", Country: "SI", encode: asciiTelegram{file: "p1-si", zone: centralEuropean, checksum: withoutChecksum}.encoder(), Line: "115200 7E1"},
		{Name: "p1-de-easymeter", Title: "German D0, EasyMeter Q3D", Make: "EasyMeter", Country: "DE", encode: asciiTelegram{file: "p1-de-easymeter", zone: centralEuropean, checksum: withoutChecksum}.encoder(), Line: dsmr2Line, Connector: optical, Interval: 2 * time.Second},
		{Name: "p1-lu", Title: "Luxembourgish P1, Sagemcom", Make: "Sagemcom", Country: "LU", Cipher: authenticated, encode: gloCiphering(sagemcom, authenticated, centralEuropean.telegram("p1-lu", ""))},
		{Name: "p1-at-est5", Title: "Styrian P1, Sagemcom T210-D", Make: "Sagemcom", Country: "AT", Cipher: authenticated, encode: gloCiphering(sagemcom, authenticated, centralEuropean.telegram("p1-at-est5", ""))},
		{Name: "p1-pl", Title: "Polish P1, Elgama, identification line not encrypted", Make: "Elgama", Country: "PL", Cipher: authenticated, encode: encryptedLines(centralEuropean.telegram("p1-pl", "EGM5G35"))},
		{Name: "p1-pl-kaifa", Title: "Polish P1, Kaifa MA309M, identification line not encrypted", Make: "Kaifa", Country: "PL", Cipher: authenticated, encode: encryptedLines(centralEuropean.telegram("p1-pl", "KFM5KAIFA-METER"))},
	})
}

// encryptedLines returns an encoder that encrypts the lines of a telegram, with an empty system title and a frame counter of 0. Polish
// meters do not encrypt the identification line. Luxembourgish and Styrian meters encrypt all lines: see gloCiphering.
func encryptedLines(e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		plain := e(nil, s)
		ident, lines, _ := bytes.Cut(plain, []byte("\r\n\r\n"))
		apdu := dlms.AppendCiphered(nil, keyOf(s), nil, authenticated, 0, lines[:bytes.LastIndexByte(lines, '!')])
		return p1.AppendEncrypted(dst, string(ident[1:]), apdu[1:]) // without the '/' and without the tag of the APDU
	}
}
