package simulate

import (
	"bytes"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

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
		row{name: "p1-lu", title: "Luxembourgish P1, Sagemcom", country: "LU", wire: sealed(sagemcom, authenticated, inCentralEurope(luxembourgish, upperSum))},
		row{name: "p1-at-est5", title: "Styrian P1, Sagemcom T210-D", country: "AT", wire: sealed(sagemcom, authenticated, inCentralEurope(styrian, upperSum))},
		row{name: "p1-pl", title: "Polish P1, Elgama, name in clear", make: "Elgama", country: "PL", wire: headless(inCentralEurope(polish, upperSum))},
		row{name: "p1-pl-kaifa", title: "Polish P1, Kaifa MA309M, name in clear", make: "Kaifa", country: "PL", wire: headless(inCentralEurope(strings.Replace(polish, "EGM5G35", "KFM5KAIFA-METER", 1), upperSum))},
	)
}
