package simulate

import "slices"

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

func kaifaFamilies() []Family {
	norwegian := func(file string) list { return readList(file, fixedInvoke.tagged(kaifaNorwegian), kaifaNorwegian) }
	swedish := func(file string) list { return readList(file, fixedInvoke.tagged(kaifaSwedish), kaifaSwedish) }
	one, two, three := norwegian("kaifa-no1"), norwegian("kaifa-no2"), norwegian("kaifa-no3")
	return slices.Concat(
		each(Family{Make: "Kaifa", Country: "NO", Connector: rj45, Line: mbusLine}, kaifaFrame.carry,
			row{name: "kaifa-no", title: "Kaifa MA304H4, lists 1, 2 and 3 as they come", encode: mixed(one, two, three), every: 2000},
			row{name: "kaifa-no1", title: "Kaifa MA304H4, list 1 alone", list: one, every: 2000},
			row{name: "kaifa-no2", title: "Kaifa MA304H4, list 2 alone", list: two},
			row{name: "kaifa-no3", title: "Kaifa MA304H4, list 3 alone", list: three},
			row{name: "kaifa-no2-1p", title: "Kaifa MA105H2E, list 2, one phase", list: norwegian("kaifa-no2-1p"), phases: 1},
			row{name: "kaifa-no3-1p", title: "Kaifa MA105H2E, list 3, one phase", list: norwegian("kaifa-no3-1p"), phases: 1},
			row{name: "kaifa-no3-3w", title: "Kaifa MA304H3E, list 3, three wires", list: norwegian("kaifa-no3-3w")},
		),
		each(Family{Make: "Kaifa", Country: "SE", Connector: rj45, Line: mbusLine}, kaifaSwedishFrame.carry,
			row{name: "kaifa-se", title: "Kaifa MA304H4, list of codes and values", list: readList("kaifa-se", fixedInvoke.unstamped(), kaifaZoned)},
			row{name: "kaifa-se-d", title: "Kaifa MA304H4D, list 3", list: swedish("kaifa-se-d")},
			row{name: "kaifa-se-ct", title: "Kaifa MA304T4 for current transformers, list 3", list: swedish("kaifa-se-ct")},
		),
	)
}
