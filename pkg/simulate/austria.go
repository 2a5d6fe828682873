package simulate

import (
	"slices"
	"time"
)

// Meters of Austria and Poland on wired M-Bus: Kaifa MA309M, Sagemcom T210-D. All are encrypted.

var (
	kaifaATClock    = clock{zone: centralEuropean, flagged: true}
	sagemcomATClock = clock{zone: centralEuropean, flagged: true, status: 0x02}
)

// lowerAustria is the list of Netz NÖ: 35 items, of which the clock and the meter's number have no code.
func lowerAustria(c clock) encoder {
	return readList("kaifa-at", invoke{id: 0x80000000, counts: true}.stamped(c), c)
}

func austrianFamilies() []Family {
	const kaifa, sagemcom = "KFM\x10\x20\x00\x00\x01", "SAGY\x00\x00\x00\x01"
	registers := readList("kaifa-at-vkw", countingInvoke.stamped(kaifaATClock), kaifaATClock)
	kaifaAT := wired(segmentFA, sealed(kaifa, encrypted, lowerAustria(kaifaATClock)))
	registersOne := wired(segmentFA, sealed(kaifa, encryptedOne, registers))
	t210 := sealed(sagemcom, encrypted, lowerAustria(sagemcomATClock))
	return each(Family{Make: "Kaifa", Country: "AT", Connector: rj12, Line: mbusLine, Cipher: encrypted}, nil, []Family{
		{Name: "kaifa-at", Title: "Kaifa MA309M, list of 35 on M-Bus", encode: kaifaAT, Interval: 5 * time.Second},
		{Name: "kaifa-at-salzburg", Title: "Kaifa MA309M of Salzburg, list of 16 on M-Bus", encode: wired(segmentFA, sealed(kaifa, encrypted, registers)), Interval: 5 * time.Second},
		{Name: "kaifa-at-vkw", Title: "Kaifa MA309M of Vorarlberg, list of 16 on M-Bus", encode: registersOne, Cipher: encryptedOne, Interval: 5 * time.Second},
		{Name: "kaifa-pl", Title: "Kaifa MA309, list of 16 on M-Bus", encode: registersOne, Cipher: encryptedOne, Interval: 5 * time.Second, Country: "PL"},
		{Name: "sagemcom-at", Title: "Sagemcom T210-D, list of 35 on M-Bus, long frames", encode: wired(segment01, t210), Interval: 5 * time.Second, Make: "Sagemcom"},
		{Name: "sagemcom-at-new", Title: "Sagemcom T210-D, list of 35 on M-Bus", encode: wired(segmentFA, t210), Interval: 5 * time.Second, Make: "Sagemcom"},
	})
}

// Lists without codes that grid companies of Austria have meters of several makes send, all encrypted: Wiener Netze through
// the optical port, Wels as Kärnten does.

// siemensFrame has addresses of one byte and of four.
var siemensFrame = frame{destination: "\xCF", source: "\x00\x02\x00\x23", control: controlUI}

// e450ViennaClock is the one in the list of E450: it calls itself invalid, though it is right.
var e450ViennaClock = clock{zone: centralEuropean, unspecified: true, hundredths: 0xFF, status: 0x01, flagged: true}

func viennaFamilies() []Family {
	const landisgyr, iskraemeco, siemens = "LGZgs\x00\x00\x02", "ISKit\x00\x00\x02", "SMSgp\x00\x00\x01"
	like := Family{Country: "AT", Connector: optical, Line: "9600 8N1", Cipher: encrypted}
	of := func(title string, l encoder) encoder { return sealed(title, encrypted, l) }
	return slices.Concat(
		each(like, e450Frame.carry, []Family{
			{Name: "landisgyr-at-wien", Title: "Landis+Gyr E450 of Vienna, list of 9", Make: "Landis+Gyr", encode: of(landisgyr, readList("at-wien", countingInvoke.stamped(e450Clock), e450ViennaClock)), Interval: time.Second},
		}),
		each(like, iskraFrame.carry, []Family{
			{Name: "iskra-at-wien", Title: "Iskraemeco AM550 of Vienna, list of 9", Make: "Iskraemeco", encode: of(iskraemeco, iskraList("at-wien")), Interval: time.Second},
		}),
		each(like, siemensFrame.carry, []Family{
			{Name: "siemens-at-wien", Title: "Siemens IM350 of Vienna, list of 10", Make: "Siemens", encode: of(siemens, iskraList("siemens-at-wien")), Interval: time.Second},
			{Name: "siemens-at-wels", Title: "Siemens IM350 of Wels, list of 10", Make: "Siemens", encode: of(siemens, iskraList("siemens-at-wels")), Connector: rj12, Line: p1Line},
		}),
	)
}
