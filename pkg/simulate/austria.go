package simulate

import "slices"

// Meters of Austria and Poland on wired M-Bus: Kaifa MA309M, Sagemcom T210-D. All are encrypted.

var (
	kaifaATClock    = clock{zone: centralEuropean, flagged: true}
	sagemcomATClock = clock{zone: centralEuropean, flagged: true, status: 0x02}
)

// lowerAustria is the list of Netz NÖ: 35 items, of which the clock and the meter's number have no code.
func lowerAustria(c clock) list {
	return readList("kaifa-at", invoke{id: 0x80000000, counts: true}.stamped(c), c)
}

func austrianFamilies() []Family {
	const kaifa, sagemcom = "KFM\x10\x20\x00\x00\x01", "SAGY\x00\x00\x00\x01"
	registers := readList("kaifa-at-vkw", countingInvoke.stamped(kaifaATClock), kaifaATClock)
	kaifaAT := wired(segmentFA, sealed(kaifa, encrypted, lowerAustria(kaifaATClock).append))
	registersOne := wired(segmentFA, sealed(kaifa, encryptedOne, registers.append))
	t210 := sealed(sagemcom, encrypted, lowerAustria(sagemcomATClock).append)
	return each(Family{Make: "Kaifa", Country: "AT", Connector: rj12, Line: mbusLine, Cipher: encrypted}, nil,
		row{name: "kaifa-at", title: "Kaifa MA309M, list of 35 on M-Bus", wire: kaifaAT, every: 5000},
		row{name: "kaifa-at-salzburg", title: "Kaifa MA309M of Salzburg, list of 16 on M-Bus", wire: wired(segmentFA, sealed(kaifa, encrypted, registers.append)), every: 5000},
		row{name: "kaifa-at-vkw", title: "Kaifa MA309M of Vorarlberg, list of 16 on M-Bus", wire: registersOne, cipher: encryptedOne, every: 5000},
		row{name: "kaifa-pl", title: "Kaifa MA309, list of 16 on M-Bus", wire: registersOne, cipher: encryptedOne, every: 5000, country: "PL"},
		row{name: "sagemcom-at", title: "Sagemcom T210-D, list of 35 on M-Bus, long frames", wire: wired(segment01, t210), every: 5000, make: "Sagemcom"},
		row{name: "sagemcom-at-new", title: "Sagemcom T210-D, list of 35 on M-Bus", wire: wired(segmentFA, t210), every: 5000, make: "Sagemcom"},
	)
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
	of := func(title string, l list) encoder { return sealed(title, encrypted, l.append) }
	return slices.Concat(
		each(like, e450Frame.carry,
			row{name: "landisgyr-at-wien", title: "Landis+Gyr E450 of Vienna, list of 9", make: "Landis+Gyr", encode: of(landisgyr, readList("at-wien", countingInvoke.stamped(e450Clock), e450ViennaClock)), every: 1000},
		),
		each(like, iskraFrame.carry,
			row{name: "iskra-at-wien", title: "Iskraemeco AM550 of Vienna, list of 9", make: "Iskraemeco", encode: of(iskraemeco, iskraList("at-wien")), every: 1000},
		),
		each(like, siemensFrame.carry,
			row{name: "siemens-at-wien", title: "Siemens IM350 of Vienna, list of 10", make: "Siemens", encode: of(siemens, iskraList("siemens-at-wien")), every: 1000},
			row{name: "siemens-at-wels", title: "Siemens IM350 of Wels, list of 10", make: "Siemens", encode: of(siemens, iskraList("siemens-at-wels"))}.in("AT", rj12, p1Line),
		),
	)
}
