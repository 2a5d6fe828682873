package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

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
