package simulate

import "time"

// Lists that Aidon meters push, and lists of EMBRIQ modules, which send the same format: arrays of registers. Sources: Aidon HAN
// interface description 1.1A for Norway, RJ12 HAN 1.3A for Sweden.

// Clocks of Aidon. In Sweden they show standard time all year and send no deviation. In Norway they show the local time and send a
// deviation of 0, which is wrong.
var (
	aidonSwedish   = clock{zone: standardTimeAllYear, withoutDeviation: true, sundayZero: true, status: 0xFF}
	aidonNorwegian = clock{zone: centralEuropean, zeroDeviation: true, sundayZero: true, hundredths: 0xFF}
)

var aidonFrame = frame{destination: "\x41", source: "\x08\x83", control: controlUI}

// aidonList returns the encoder of a Norwegian list of Aidon or of an EMBRIQ module.
func aidonList(file string) encoder { return listEncoder(file, fixedInvoke.header(), aidonNorwegian) }

func aidonFamilies() []Family {
	list1, list2, list3 := aidonList("aidon-no1"), aidonList("aidon-no2"), aidonList("aidon-no3")
	swedish := func(file string) encoder { return listEncoder(file, fixedInvoke.header(), aidonSwedish) }
	return withDefaults(Family{Make: "Aidon", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.wrap, []Family{
		{Name: "aidon-se", Title: "Aidon, Swedish list (EFS), three phases", encode: swedish("aidon-se"), Country: "SE", Connector: rj12, Line: p1Line},
		{Name: "aidon-se-1p", Title: "Aidon, Swedish list (EFS), one phase", encode: swedish("aidon-se-1p"), Phases: 1, Country: "SE", Connector: rj12, Line: p1Line},
		{Name: "aidon-no", Title: "Aidon 6534, Norwegian lists 1, 2 and 3 in their intervals", encode: schedule(norwegianSchedule).encoder(list1, list2, list3), Interval: 2500 * time.Millisecond},
		{Name: "aidon-no1", Title: "Aidon 6534, only Norwegian list 1", encode: list1, Interval: 2500 * time.Millisecond},
		{Name: "aidon-no2", Title: "Aidon 6534, only Norwegian list 2", encode: list2},
		{Name: "aidon-no3", Title: "Aidon 6534, only Norwegian list 3", encode: list3},
		{Name: "aidon-no2-1p", Title: "Aidon 6515, Norwegian list 2, one phase", encode: aidonList("aidon-no2-1p"), Phases: 1},
		{Name: "aidon-no3-3w", Title: "Aidon 6525, Norwegian list 3, three wires", encode: aidonList("aidon-no3-3w")},
	})
}

func embriqFamilies() []Family {
	list1, list2, list3 := aidonList("aidon-no1"), aidonList("landisgyr-no2"), aidonList("landisgyr-no3")
	return withDefaults(Family{Make: "Landis+Gyr", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.wrap, []Family{
		{Name: "landisgyr-no", Title: "Landis+Gyr E350, EMBRIQ module, lists 1, 2 and 3 in their intervals", encode: schedule(norwegianSchedule).encoder(list1, list2, list3), Interval: 2500 * time.Millisecond},
		{Name: "landisgyr-no1", Title: "Landis+Gyr E350, EMBRIQ module, only list 1", encode: list1, Interval: 2500 * time.Millisecond},
		{Name: "landisgyr-no2", Title: "Landis+Gyr E350, EMBRIQ module, only list 2", encode: list2},
		{Name: "landisgyr-no3", Title: "Landis+Gyr E350, EMBRIQ module, only list 3", encode: list3},
		{Name: "landisgyr-no3-zmf", Title: "Landis+Gyr E350 ZMF1, EMBRIQ module, only list 3", encode: aidonList("landisgyr-no3-zmf")},
	})
}
