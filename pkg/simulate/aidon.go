package simulate

// Lists that Aidon meters push, and modules of EMBRIQ that speak like them: arrays of registers (Aidon HAN interface description 1.1A
// for Norway, RJ12 HAN 1.3A for Sweden).

// Clocks of Aidon: Swedish normal time with no zone; in Norway people's time, with a zone of 0 that is not true.
var (
	aidonSwedish   = clock{zone: swedishNormal, unspecified: true, sundayZero: true, status: 0xFF}
	aidonNorwegian = clock{zone: centralEuropean, lying: true, sundayZero: true, hundredths: 0xFF}
)

var aidonFrame = frame{destination: "\x41", source: "\x08\x83", control: controlUI}

// aidonList is a list as it is sent in Norway.
func aidonList(file string) list { return readList(file, fixedInvoke.unstamped(), aidonNorwegian) }

func aidonFamilies() []Family {
	two, three := aidonList("aidon-no2"), aidonList("aidon-no3")
	swedish := func(file string) list { return readList(file, fixedInvoke.unstamped(), aidonSwedish) }
	return each(Family{Make: "Aidon", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry,
		row{name: "aidon-se", title: "Aidon, Swedish list (EFS), three phases", list: swedish("aidon-se")}.in("SE", rj12, p1Line),
		row{name: "aidon-se-1p", title: "Aidon, Swedish list (EFS), one phase", list: swedish("aidon-se-1p"), phases: 1}.in("SE", rj12, p1Line),
		row{name: "aidon-no", title: "Aidon 6534, Norwegian lists 1, 2 and 3 as they come", encode: mixed(aidonList("aidon-no1"), two, three), every: 2500},
		row{name: "aidon-no1", title: "Aidon 6534, Norwegian list 1 alone", list: aidonList("aidon-no1"), every: 2500},
		row{name: "aidon-no2", title: "Aidon 6534, Norwegian list 2 alone", list: two},
		row{name: "aidon-no3", title: "Aidon 6534, Norwegian list 3 alone", list: three},
		row{name: "aidon-no2-1p", title: "Aidon 6515, Norwegian list 2, one phase", list: aidonList("aidon-no2-1p"), phases: 1},
		row{name: "aidon-no3-3w", title: "Aidon 6525, Norwegian list 3, three wires", list: aidonList("aidon-no3-3w")},
	)
}

func embriqFamilies() []Family {
	two, three := aidonList("landisgyr-no2"), aidonList("landisgyr-no3")
	return each(Family{Make: "Landis+Gyr", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry,
		row{name: "landisgyr-no", title: "Landis+Gyr E350, EMBRIQ module, lists 1, 2 and 3 as they come", encode: mixed(aidonList("aidon-no1"), two, three), every: 2500},
		row{name: "landisgyr-no1", title: "Landis+Gyr E350, EMBRIQ module, list 1 alone", list: aidonList("aidon-no1"), every: 2500},
		row{name: "landisgyr-no2", title: "Landis+Gyr E350, EMBRIQ module, list 2 alone", list: two},
		row{name: "landisgyr-no3", title: "Landis+Gyr E350, EMBRIQ module, list 3 alone", list: three},
		row{name: "landisgyr-no3-zmf", title: "Landis+Gyr E350 ZMF1, EMBRIQ module, list 3 alone", list: aidonList("landisgyr-no3-zmf")},
	)
}
