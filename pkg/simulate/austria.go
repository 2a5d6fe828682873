package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Meters of Austria and Poland on wired M-Bus: Kaifa MA309M, Sagemcom T210-D. All are encrypted.

var (
	kaifaATClock    = clock{zone: centralEuropean, flagged: true}
	sagemcomATClock = clock{zone: centralEuropean, flagged: true, status: 0x02}
)

// lowerAustria is the list of Netz NÖ: 35 items, of which the clock and the meter's number have no code.
func lowerAustria(c clock) list {
	return list{shape: triples, stamp: invoke{id: 0x80000000, counts: true}.stamped(c), fields: slices.Concat(
		[]field{bare(c.field("0-0:1.0.0"))},
		numbers(dlms.Uint32, 0, "1.8.0", "2.8.0", "1.7.0", "2.7.0"),
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint16, -3, "13.7.0"),
		[]field{bare(octets("100000000001", "0-0:96.1.0"))},
	)}
}

// vorarlberg is a structure of 16: a clock as a pair of its own, then registers. Salzburg and Warsaw have it too.
func vorarlberg() list {
	clock := kaifaATClock.field("0-0:1.0.0")
	name := bare(field{write: func(dst []byte, _ *State) []byte { return dlms.AppendName(dst, clock.code) }})
	return list{shape: structured, stamp: countingInvoke.stamped(kaifaATClock), fields: slices.Concat(
		[]field{
			name, bare(clock),
			octets("1KFM0200000001", "0-0:96.1.0"), octets("KFM1200200000001", "0-0:42.0.0"),
		},
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		numbers(dlms.Uint32, 0, totalEnergies...),
	)}
}

func austrianFamilies() []Family {
	const kaifa, sagemcom = "KFM\x10\x20\x00\x00\x01", "SAGY\x00\x00\x00\x01"
	kaifaAT := wired(segmentFA, sealed(kaifa, encrypted, lowerAustria(kaifaATClock).append))
	registersOne := wired(segmentFA, sealed(kaifa, encryptedOne, vorarlberg().append))
	t210 := sealed(sagemcom, encrypted, lowerAustria(sagemcomATClock).append)
	return each(Family{Make: "Kaifa", Country: "AT", Connector: rj12, Line: mbusLine, Cipher: encrypted}, nil,
		row{name: "kaifa-at", title: "Kaifa MA309M, list of 35 on M-Bus", wire: kaifaAT, every: 5000},
		row{name: "kaifa-at-salzburg", title: "Kaifa MA309M of Salzburg, list of 16 on M-Bus", wire: wired(segmentFA, sealed(kaifa, encrypted, vorarlberg().append)), every: 5000},
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

// vienna is the list of Wiener Netze: clock, energies, powers. Siemens sends its name before them.
func vienna(stamp, c clock, name ...field) list {
	return list{stamp: countingInvoke.stamped(stamp), fields: slices.Concat(
		name, []field{c.field("0-0:1.0.0")},
		numbers(dlms.Uint32, 0, totalEnergies...),
		numbers(dlms.Uint32, 0, totalPowers...),
	)}
}

// wels is the list of Kärnten without its texts.
func wels() list {
	l := carinthian()
	l.fields = l.fields[:10]
	return l
}

func viennaFamilies() []Family {
	const landisgyr, iskraemeco, siemens = "LGZgs\x00\x00\x02", "ISKit\x00\x00\x02", "SMSgp\x00\x00\x01"
	like := Family{Country: "AT", Connector: optical, Line: "9600 8N1", Cipher: encrypted}
	of := func(title string, l list) encoder { return sealed(title, encrypted, l.append) }
	named := vienna(iskraClock, iskraClock, octets("SMS1030000000001", "0-0:42.0.0"))
	return slices.Concat(
		each(like, e450Frame.carry,
			row{name: "landisgyr-at-wien", title: "Landis+Gyr E450 of Vienna, list of 9", make: "Landis+Gyr", encode: of(landisgyr, vienna(e450Clock, e450ViennaClock)), every: 1000},
		),
		each(like, iskraFrame.carry,
			row{name: "iskra-at-wien", title: "Iskraemeco AM550 of Vienna, list of 9", make: "Iskraemeco", encode: of(iskraemeco, vienna(iskraClock, iskraClock)), every: 1000},
		),
		each(like, siemensFrame.carry,
			row{name: "siemens-at-wien", title: "Siemens IM350 of Vienna, list of 10", make: "Siemens", encode: of(siemens, named), every: 1000},
			row{name: "siemens-at-wels", title: "Siemens IM350 of Wels, list of 10", make: "Siemens", encode: of(siemens, wels())}.in("AT", rj12, p1Line),
		),
	)
}
