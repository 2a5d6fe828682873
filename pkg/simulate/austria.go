package simulate

import (
	"slices"
	"time"
)

// Meters of Austria and Poland on wired M-Bus: Kaifa MA309M, Sagemcom T210-D. All are encrypted.

var (
	kaifaATClock    = clock{zone: centralEuropean, summerFlag: true}
	sagemcomATClock = clock{zone: centralEuropean, summerFlag: true, status: 0x02} // status: doubtful value
)

// lowerAustria returns the encoder of the list of Netz NÖ, a grid company. The list has 35 items. The clock and the meter's number have no
// code.
func lowerAustria(c clock) encoder {
	return listEncoder("kaifa-at", invokeID{id: 0x80000000, counts: true}.stampedHeader(c), c)
}

func austrianFamilies() []Family {
	const kaifa, sagemcom = "KFM\x10\x20\x00\x00\x01", "SAGY\x00\x00\x00\x01" // system titles
	registers := listEncoder("kaifa-at-vkw", countingInvoke.stampedHeader(kaifaATClock), kaifaATClock)
	kaifaAT := mbusFrames(segmentFA, gloCiphering(kaifa, encrypted, lowerAustria(kaifaATClock)))
	registersSuite1 := mbusFrames(segmentFA, gloCiphering(kaifa, encryptedSuite1, registers))
	t210 := gloCiphering(sagemcom, encrypted, lowerAustria(sagemcomATClock))
	return withDefaults(Family{Make: "Kaifa", Country: "AT", Connector: rj12, Line: mbusLine, Cipher: encrypted}, nil, []Family{
		{Name: "kaifa-at", Title: "Kaifa MA309M, list of 35 on M-Bus", encode: kaifaAT, Interval: 5 * time.Second},
		{Name: "kaifa-at-salzburg", Title: "Kaifa MA309M of Salzburg, list of 16 on M-Bus", encode: mbusFrames(segmentFA, gloCiphering(kaifa, encrypted, registers)), Interval: 5 * time.Second},
		{Name: "kaifa-at-vkw", Title: "Kaifa MA309M of Vorarlberg, list of 16 on M-Bus", encode: registersSuite1, Cipher: encryptedSuite1, Interval: 5 * time.Second},
		{Name: "kaifa-pl", Title: "Kaifa MA309, list of 16 on M-Bus", encode: registersSuite1, Cipher: encryptedSuite1, Interval: 5 * time.Second, Country: "PL"},
		{Name: "sagemcom-at", Title: "Sagemcom T210-D, list of 35 on M-Bus, long frames", encode: mbusFrames(segment01, t210), Interval: 5 * time.Second, Make: "Sagemcom"},
		{Name: "sagemcom-at-new", Title: "Sagemcom T210-D, list of 35 on M-Bus", encode: mbusFrames(segmentFA, t210), Interval: 5 * time.Second, Make: "Sagemcom"},
	})
}

// Lists without codes, all encrypted. Austrian grid companies let meters of several manufacturers send the same list: Wiener Netze
// through the optical port, Wels and Kärnten through RJ12.

// siemensFrame has a destination address of one byte and a source address of four bytes.
var siemensFrame = frame{destination: "\xCF", source: "\x00\x02\x00\x23", control: controlUI}

// e450ViennaClock is the clock in the list of an E450. Its status says "invalid value", although the time is right.
var e450ViennaClock = clock{zone: centralEuropean, withoutDeviation: true, hundredths: 0xFF, status: 0x01, summerFlag: true}

func viennaFamilies() []Family {
	const landisgyr, iskraemeco, siemens = "LGZgs\x00\x00\x02", "ISKit\x00\x00\x02", "SMSgp\x00\x00\x01" // system titles
	defaults := Family{Country: "AT", Connector: optical, Line: "9600 8N1", Cipher: encrypted}
	cipher := func(systemTitle string, e encoder) encoder { return gloCiphering(systemTitle, encrypted, e) }
	return slices.Concat(
		withDefaults(defaults, e450Frame.wrap, []Family{
			{Name: "landisgyr-at-wien", Title: "Landis+Gyr E450 of Vienna, list of 9", Make: "Landis+Gyr", encode: cipher(landisgyr, listEncoder("at-wien", countingInvoke.stampedHeader(e450Clock), e450ViennaClock)), Interval: time.Second},
		}),
		withDefaults(defaults, iskraFrame.wrap, []Family{
			{Name: "iskra-at-wien", Title: "Iskraemeco AM550 of Vienna, list of 9", Make: "Iskraemeco", encode: cipher(iskraemeco, iskraList("at-wien")), Interval: time.Second},
		}),
		withDefaults(defaults, siemensFrame.wrap, []Family{
			{Name: "siemens-at-wien", Title: "Siemens IM350 of Vienna, list of 10", Make: "Siemens", encode: cipher(siemens, iskraList("siemens-at-wien")), Interval: time.Second},
			{Name: "siemens-at-wels", Title: "Siemens IM350 of Wels, list of 10", Make: "Siemens", encode: cipher(siemens, iskraList("siemens-at-wels")), Connector: rj12, Line: p1Line},
		}),
	)
}
