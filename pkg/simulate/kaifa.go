package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Lists of Kaifa meters in Norway and Sweden (Kaifa HAN OBIS codes, KFM_001): values without codes in a fixed order, currents
// in mA, voltages in 0.1 V, energies in Wh.

// Clocks of Kaifa.
var (
	kaifaNorwegian = clock{zone: centralEuropean, unspecified: true, hundredths: 0xFF}
	kaifaSwedish   = clock{zone: swedishNormal, unspecified: true, hundredths: 0xFF}
	kaifaZoned     = clock{zone: swedishNormal, hundredths: 0xFF}
)

var (
	kaifaFrame        = frame{destination: "\x01", source: "\x02\x01", control: 0x10}
	kaifaSwedishFrame = frame{destination: "\x01", source: "\x00\x01", control: 0x10}
)

// kaifaWho is how a Kaifa meter begins its lists.
func kaifaWho(id, model string) []field {
	return []field{octets("KFM_001", "1-0:0.2.129"), octets(id, "0-0:96.1.0"), octets(model, "0-0:96.1.7")}
}

// kaifaTwo is list 2: 13 items with three phases, 9 with one.
func kaifaTwo(c clock, id, model string, phases int) list {
	return list{stamp: fixedInvoke.tagged(c), fields: slices.Concat(
		kaifaWho(id, model),
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Uint32, -3, currents[:phases]...),
		numbers(dlms.Uint32, -1, voltages[:phases]...),
	)}
}

// kaifaThree is list 3, for a list 2: clock and energies of the last whole hour besides.
func kaifaThree(l list, c clock, kind dlms.Type) list {
	l.fields = slices.Concat(l.fields, []field{c.field("0-0:1.0.0")}, numbers(kind, 0, totalEnergies...))
	l.hourly = c == kaifaNorwegian
	return l
}

// threeWires is what a list 2 of MA304H3E says, which does not know the voltage of its second pair.
func threeWires(l list) list {
	l.fields = slices.Clone(l.fields)
	l.fields[11] = fixed(dlms.Uint32, 0, "52.7.0")
	return l
}

// kaifaPairs is the list of MA304H4 in Sweden: the same with codes.
func kaifaPairs() list {
	who := kaifaWho("7340150000000001", "MA304H4")
	return list{shape: pairs, stamp: fixedInvoke.unstamped(), fields: slices.Concat(who,
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Uint32, -3, currents...),
		numbers(dlms.Uint32, -1, voltages...),
		[]field{kaifaZoned.field("0-0:1.0.0")},
		numbers(dlms.Uint32, 0, totalEnergies...),
	)}
}

func kaifaFamilies() []Family {
	const id, swedishID = "6970630000000001", "7340150000000001"
	one := list{stamp: fixedInvoke.tagged(kaifaNorwegian), fields: numbers(dlms.Uint32, 0, totalPowers[0])}
	two := kaifaTwo(kaifaNorwegian, id, "MA304H4", 3)
	three := kaifaThree(two, kaifaNorwegian, dlms.Uint32)
	single := kaifaTwo(kaifaNorwegian, id, "MA105H2E", 1)
	wires := threeWires(kaifaTwo(kaifaNorwegian, id, "MA304H3E", 3))
	long := kaifaThree(kaifaTwo(kaifaSwedish, swedishID, "MA304H4D", 3), kaifaSwedish, dlms.Uint32)
	transformed := kaifaThree(kaifaTwo(kaifaSwedish, swedishID, "MA304T4", 3), kaifaSwedish, dlms.Uint64)
	return slices.Concat(
		each(Family{Make: "Kaifa", Country: "NO", Connector: rj45, Line: mbusLine}, kaifaFrame.carry,
			row{name: "kaifa-no", title: "Kaifa MA304H4, lists 1, 2 and 3 as they come", encode: mixed(one, two, three), every: 2000},
			row{name: "kaifa-no1", title: "Kaifa MA304H4, list 1 alone", list: one, every: 2000},
			row{name: "kaifa-no2", title: "Kaifa MA304H4, list 2 alone", list: two},
			row{name: "kaifa-no3", title: "Kaifa MA304H4, list 3 alone", list: three},
			row{name: "kaifa-no2-1p", title: "Kaifa MA105H2E, list 2, one phase", list: single, phases: 1},
			row{name: "kaifa-no3-1p", title: "Kaifa MA105H2E, list 3, one phase", list: kaifaThree(single, kaifaNorwegian, dlms.Uint32), phases: 1},
			row{name: "kaifa-no3-3w", title: "Kaifa MA304H3E, list 3, three wires", list: kaifaThree(wires, kaifaNorwegian, dlms.Uint32)},
		),
		each(Family{Make: "Kaifa", Country: "SE", Connector: rj45, Line: mbusLine}, kaifaSwedishFrame.carry,
			row{name: "kaifa-se", title: "Kaifa MA304H4, list of codes and values", list: kaifaPairs()},
			row{name: "kaifa-se-d", title: "Kaifa MA304H4D, list 3", list: long},
			row{name: "kaifa-se-ct", title: "Kaifa MA304T4 for current transformers, list 3", list: transformed},
		),
	)
}
