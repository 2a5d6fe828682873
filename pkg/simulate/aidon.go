package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Lists that Aidon meters push, and modules that speak like them: arrays of registers (Aidon HAN interface description 1.1A
// for Norway, RJ12 HAN 1.3A for Sweden).

// Codes in the order of the lists.
var (
	totalPowers   = []string{"1.7.0", "2.7.0", "3.7.0", "4.7.0"}
	totalEnergies = []string{"1.8.0", "2.8.0", "3.8.0", "4.8.0"}
	currents      = []string{"31.7.0", "51.7.0", "71.7.0"}
	voltages      = []string{"32.7.0", "52.7.0", "72.7.0"}
	phasePowers   = []string{
		"21.7.0", "22.7.0", "23.7.0", "24.7.0", "41.7.0", "42.7.0", "43.7.0", "44.7.0", "61.7.0", "62.7.0", "63.7.0", "64.7.0",
	}
	twoCurrents = []string{"31.7.0", "71.7.0"} // three wires: the meter has no current of L2
)

// fixedInvoke is what most Nordic meters send for ever.
var fixedInvoke = invoke{id: 0x40000000}

// Clocks of Aidon: Swedish normal time with no zone; in Norway people's time, with a zone of 0 that is not true.
var (
	aidonSwedish   = clock{zone: swedishNormal, unspecified: true, sundayZero: true, status: 0xFF}
	aidonNorwegian = clock{zone: centralEuropean, lying: true, sundayZero: true, hundredths: 0xFF}
)

var aidonFrame = frame{destination: "\x41", source: "\x08\x83", control: controlUI}

// swedish is EFS: clock, instant values, energies. 27 items with three phases, 15 with one.
func swedish(phases int) list {
	return aidonList(slices.Concat(
		[]field{aidonSwedish.field("0-0:1.0.0")},
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Int16, -1, currents[:phases]...),
		numbers(dlms.Uint16, -1, voltages[:phases]...),
		numbers(dlms.Uint32, 0, phasePowers[:4*phases]...),
		numbers(dlms.Uint32, 0, totalEnergies...),
	))
}

func aidonList(fields []field) list {
	return list{shape: registers, stamp: fixedInvoke.unstamped(), fields: fields}
}

// powerOnly is list 1.
func powerOnly() list { return aidonList(numbers(dlms.Uint32, 0, totalPowers[0])) }

// norwegian is list 2 of a model: who, and instant values. 13 items with three phases, 12 with three wires, 9 with one.
func norwegian(model string, currents, voltages []string) list {
	return likeAidon([]field{
		visible("AIDON_V0001", "1-1:0.2.129"), visible("7359990000000001", "0-0:96.1.0"), visible(model, "0-0:96.1.7"),
	}, -1, currents, voltages)
}

// embriq is the same of the module in Landis+Gyr meters of a model, with currents in 0.01 A.
func embriq(model string) list {
	return likeAidon([]field{
		visible("EMBRIQ_V1_1", "1-1:0.2.129"), visible("1000001\x00\x00\x00\x00\x00\x00\x00\x00\x00", "0-0:96.1.0"), visible(model, "0-0:96.1.7"),
	}, -2, currents, voltages)
}

func likeAidon(who []field, ampere int8, currents, voltages []string) list {
	return aidonList(slices.Concat(who,
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Int16, ampere, currents...),
		numbers(dlms.Uint16, -1, voltages...),
	))
}

// hourlyWith is list 3, for a list 2: clock and energies of the last whole hour besides.
func (l list) hourlyWith(energies []field) list {
	l.fields = slices.Concat(l.fields, []field{aidonNorwegian.ofHour("0-0:1.0.0")}, energies)
	l.hourly = true
	return l
}

// tens are the energies of list 3 in Norway, in 10 Wh.
func tens() []field { return numbers(dlms.Uint32, 1, totalEnergies...) }

// zmf is what a fault of the module makes of the lists of ZMF1 meters: tag and length of the names of currents are swapped,
// and energies are of medium 0, in Wh.
func zmf() list {
	l := embriq("ZMF1").hourlyWith(on("0-0", numbers(dlms.Uint32, 0, totalEnergies...)))
	for i := range l.fields {
		l.fields[i].swapped = l.fields[i].code[2]%20 == ampere && l.fields[i].code[3] == instant
	}
	return l
}

func aidonFamilies() []Family {
	two := norwegian("6534", currents, voltages)
	three := two.hourlyWith(tens())
	return each(Family{Make: "Aidon", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry,
		row{name: "aidon-se", title: "Aidon, Swedish list (EFS), three phases", list: swedish(3)}.in("SE", rj12, p1Line),
		row{name: "aidon-se-1p", title: "Aidon, Swedish list (EFS), one phase", list: swedish(1), phases: 1}.in("SE", rj12, p1Line),
		row{name: "aidon-no", title: "Aidon 6534, Norwegian lists 1, 2 and 3 as they come", encode: mixed(powerOnly(), two, three), every: 2500},
		row{name: "aidon-no1", title: "Aidon 6534, Norwegian list 1 alone", list: powerOnly(), every: 2500},
		row{name: "aidon-no2", title: "Aidon 6534, Norwegian list 2 alone", list: two},
		row{name: "aidon-no3", title: "Aidon 6534, Norwegian list 3 alone", list: three},
		row{name: "aidon-no2-1p", title: "Aidon 6515, Norwegian list 2, one phase", list: norwegian("6515", currents[:1], voltages[:1]), phases: 1},
		row{name: "aidon-no3-3w", title: "Aidon 6525, Norwegian list 3, three wires", list: norwegian("6525", twoCurrents, voltages).hourlyWith(tens())},
	)
}

func embriqFamilies() []Family {
	two := embriq("ZFF1")
	return each(Family{Make: "Landis+Gyr", Country: "NO", Connector: rj45, Line: mbusLine}, aidonFrame.carry,
		row{name: "landisgyr-no", title: "Landis+Gyr E350, EMBRIQ module, lists 1, 2 and 3 as they come", encode: mixed(powerOnly(), two, two.hourlyWith(tens())), every: 2500},
		row{name: "landisgyr-no1", title: "Landis+Gyr E350, EMBRIQ module, list 1 alone", list: powerOnly(), every: 2500},
		row{name: "landisgyr-no2", title: "Landis+Gyr E350, EMBRIQ module, list 2 alone", list: two},
		row{name: "landisgyr-no3", title: "Landis+Gyr E350, EMBRIQ module, list 3 alone", list: two.hourlyWith(tens())},
		row{name: "landisgyr-no3-zmf", title: "Landis+Gyr E350 ZMF1, EMBRIQ module, list 3 alone", list: zmf()},
	)
}
