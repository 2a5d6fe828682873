package simulate

import "time"

// Lists that Aidon meters push, and modules of EMBRIQ that speak like them: arrays of registers (Aidon HAN interface description 1.1A
// for Norway, RJ12 HAN 1.3A for Sweden).

// Clocks of Aidon: Swedish normal time with no zone; in Norway people's time, with a zone of 0 that is not true.
var (
	aidonSwedish   = clock{zone: swedishNormal, unspecified: true, sundayZero: true, status: 0xFF}
	aidonNorwegian = clock{zone: centralEuropean, lying: true, sundayZero: true, hundredths: 0xFF}
)

var aidonFrame = frame{destination: "\x41", source: "\x08\x83", control: controlUI}

// aidonList is a list as it is sent in Norway.
func aidonList(file string) encoder { return readList(file, fixedInvoke.unstamped(), aidonNorwegian) }

func aidonFamilies() []Family {
	two, three := aidonList("aidon-no2"), aidonList("aidon-no3")
	swedish := func(file string) encoder { return readList(file, fixedInvoke.unstamped(), aidonSwedish) }
	return each(Family{Make: "Aidon", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry, []Family{
		{Name: "aidon-se", Title: "Aidon, Swedish list (EFS), three phases", encode: swedish("aidon-se"), Country: "SE", Connector: rj12, Line: p1Line},
		{Name: "aidon-se-1p", Title: "Aidon, Swedish list (EFS), one phase", encode: swedish("aidon-se-1p"), Phases: 1, Country: "SE", Connector: rj12, Line: p1Line},
		{Name: "aidon-no", Title: "Aidon 6534, Norwegian lists 1, 2 and 3 as they come", encode: schedule(nordic).of(aidonList("aidon-no1"), two, three), Interval: 2500 * time.Millisecond},
		{Name: "aidon-no1", Title: "Aidon 6534, Norwegian list 1 alone", encode: aidonList("aidon-no1"), Interval: 2500 * time.Millisecond},
		{Name: "aidon-no2", Title: "Aidon 6534, Norwegian list 2 alone", encode: two},
		{Name: "aidon-no3", Title: "Aidon 6534, Norwegian list 3 alone", encode: three},
		{Name: "aidon-no2-1p", Title: "Aidon 6515, Norwegian list 2, one phase", encode: aidonList("aidon-no2-1p"), Phases: 1},
		{Name: "aidon-no3-3w", Title: "Aidon 6525, Norwegian list 3, three wires", encode: aidonList("aidon-no3-3w")},
	})
}

func embriqFamilies() []Family {
	two, three := aidonList("landisgyr-no2"), aidonList("landisgyr-no3")
	return each(Family{Make: "Landis+Gyr", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry, []Family{
		{Name: "landisgyr-no", Title: "Landis+Gyr E350, EMBRIQ module, lists 1, 2 and 3 as they come", encode: schedule(nordic).of(aidonList("aidon-no1"), two, three), Interval: 2500 * time.Millisecond},
		{Name: "landisgyr-no1", Title: "Landis+Gyr E350, EMBRIQ module, list 1 alone", encode: aidonList("aidon-no1"), Interval: 2500 * time.Millisecond},
		{Name: "landisgyr-no2", Title: "Landis+Gyr E350, EMBRIQ module, list 2 alone", encode: two},
		{Name: "landisgyr-no3", Title: "Landis+Gyr E350, EMBRIQ module, list 3 alone", encode: three},
		{Name: "landisgyr-no3-zmf", Title: "Landis+Gyr E350 ZMF1, EMBRIQ module, list 3 alone", encode: aidonList("landisgyr-no3-zmf")},
	})
}
