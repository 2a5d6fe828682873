package simulate

import (
	"slices"
	"time"
)

// Lists of Kaifa meters in Norway and Sweden (Kaifa HAN OBIS codes, KFM_001): values without codes in a fixed order. Currents are in mA,
// voltages in 0.1 V, energies in Wh.

var (
	kaifaNorwegian     = clock{zone: centralEuropean, withoutDeviation: true, taggedHeader: true, hundredths: 0xFF}
	kaifaSwedish       = clock{zone: standardTimeAllYear, withoutDeviation: true, taggedHeader: true, hundredths: 0xFF}
	kaifaWithDeviation = clock{zone: standardTimeAllYear, hundredths: 0xFF}
)

var (
	kaifaFrame        = frame{destination: "\x01", source: "\x02\x01", control: 0x10}
	kaifaSwedishFrame = frame{destination: "\x01", source: "\x00\x01", control: 0x10}
)

func kaifaFamilies() []Family {
	norwegian := func(file string) encoder {
		return listEncoder(file, fixedInvoke.stampedHeader(kaifaNorwegian), kaifaNorwegian)
	}
	swedish := func(file string) encoder {
		return listEncoder(file, fixedInvoke.stampedHeader(kaifaSwedish), kaifaSwedish)
	}
	list1, list2, list3 := norwegian("kaifa-no1"), norwegian("kaifa-no2"), norwegian("kaifa-no3")
	return slices.Concat(
		withDefaults(Family{Make: "Kaifa", Country: "NO", Connector: rj45, Line: mbusLine}, kaifaFrame.wrap, []Family{
			{Name: "kaifa-no", Title: "Kaifa MA304H4, lists 1, 2 and 3 in their intervals", encode: schedule(norwegianSchedule).encoder(list1, list2, list3), Interval: 2 * time.Second},
			{Name: "kaifa-no1", Title: "Kaifa MA304H4, only list 1", encode: list1, Interval: 2 * time.Second},
			{Name: "kaifa-no2", Title: "Kaifa MA304H4, only list 2", encode: list2},
			{Name: "kaifa-no3", Title: "Kaifa MA304H4, only list 3", encode: list3},
			{Name: "kaifa-no2-1p", Title: "Kaifa MA105H2E, list 2, one phase", encode: norwegian("kaifa-no2-1p"), Phases: 1},
			{Name: "kaifa-no3-1p", Title: "Kaifa MA105H2E, list 3, one phase", encode: norwegian("kaifa-no3-1p"), Phases: 1},
			{Name: "kaifa-no3-3w", Title: "Kaifa MA304H3E, list 3, three wires", encode: norwegian("kaifa-no3-3w")},
		}),
		withDefaults(Family{Make: "Kaifa", Country: "SE", Connector: rj45, Line: mbusLine}, kaifaSwedishFrame.wrap, []Family{
			{Name: "kaifa-se", Title: "Kaifa MA304H4, list of codes and values", encode: listEncoder("kaifa-se", fixedInvoke.header(), kaifaWithDeviation)},
			{Name: "kaifa-se-d", Title: "Kaifa MA304H4D, list 3", encode: swedish("kaifa-se-d")},
			{Name: "kaifa-se-ct", Title: "Kaifa MA304T4 for current transformers, list 3", encode: swedish("kaifa-se-ct")},
		}),
	)
}
