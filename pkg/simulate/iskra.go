package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Iskraemeco AM550 and IE.5 in HDLC: push lists and registers in Switzerland, values without codes in Slovenia, Croatia and
// Austria: voltages in 0.1 V, currents in 0.01 A.

var (
	iskraFrame    = frame{destination: "\xCF", source: "\x02\x23", control: controlUI}
	iskraSegments = frame{destination: "\xCF", source: "\x02\x23", control: controlUI, segment: 154}
)

var iskraClock = clock{zone: centralEuropean, flagged: true}

// iskraPush is the Swiss list in three segments.
func iskraPush() list {
	return list{shape: pushed, stamp: countingInvoke.stamped(iskraClock), fields: slices.Concat(
		[]field{pushSetup("0-6:25.9.0"), octets("ISK1030000000001", "0-0:42.0.0")},
		on("1-1", numbers(dlms.Uint32, 0, totalEnergies...)),
		on("1-1", numbers(dlms.Uint32, 0, "1.7.0", "2.7.0")),
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
	)}
}

// iskraRegisters is that of another company: the second number has six digits, as many as a code has bytes.
func iskraRegisters() list {
	return list{shape: structured, stamp: countingInvoke.stamped(iskraClock), fields: slices.Concat(
		[]field{octets("10000001", "0-0:96.1.0"), octets("100001", "0-0:96.1.1")},
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0", "1.8.0", "2.8.0"),
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint32, 0, "1.8.1", "1.8.2", "2.8.1", "2.8.2"),
	)}
}

func sloveneList(parts ...[]field) list {
	return list{stamp: countingInvoke.stamped(iskraClock), fields: slices.Concat(parts...)}
}

// ljubljana is the list of every five seconds: 18 items.
func ljubljana() list {
	return sloveneList(
		[]field{octets("ISK1030000000001", "0-0:42.0.0"), octets("10000001", "0-0:96.1.2")},
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint32, 0, "21.7.0", "41.7.0", "61.7.0", "22.7.0", "42.7.0", "62.7.0"),
	)
}

// ljubljanaEnergies is that of every quarter of an hour: 12 items.
func ljubljanaEnergies() list {
	tariff := octets("", "0-0:96.14.0")
	tariff.write = func(dst []byte, s *State) []byte { return dlms.AppendOctets(dst, "\x00"+string(rune(s.Tariff))) }
	return sloveneList(
		[]field{
			octets("ISK1030000000001", "0-0:42.0.0"), octets("", "0-0:96.1.3"), fixed(dlms.Boolean, 1, "0-0:96.3.10"), tariff,
		},
		numbers(dlms.Uint32, 0, "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "3.8.0", "4.8.0"),
	)
}

// celje has 12 items in another order, 8 with one phase.
func celje(name string, phases int) list {
	return sloveneList(
		[]field{octets("ISK1030000000001", "0-0:42.0.0"), octets(name, "0-0:96.1.2")},
		numbers(dlms.Uint16, -1, voltages[:phases]...),
		numbers(dlms.Uint16, -2, currents[:phases]...),
		numbers(dlms.Uint32, 0, totalPowers...),
	)
}

// onePhase has 10 items. Older meters have 9: no current, and zeros where the others have the powers of their phase.
func onePhase() list {
	return sloveneList(
		[]field{octets("ISK1020000000001", "0-0:42.0.0"), octets("ISK10000001", "0-0:96.1.2")},
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Uint16, -1, voltages[0]),
		numbers(dlms.Uint16, -2, currents[0]),
		numbers(dlms.Uint32, 0, "21.7.0", "22.7.0"),
	)
}

func onePhaseWithoutCurrent() list {
	l := onePhase()
	l.fields = append(l.fields[:7:7], fixed(dlms.Uint32, 0, "21.7.0"), fixed(dlms.Uint32, 0, "22.7.0"))
	return l
}

// tariffEnergies has 10 items.
func tariffEnergies() list {
	return sloveneList(
		[]field{octets("ISK1030000000001", "0-0:42.0.0"), octets("10000001", "0-0:96.1.3")},
		numbers(dlms.Uint32, 0, "1.8.1", "1.8.2", "2.8.1", "2.8.2", "3.8.1", "3.8.2", "4.8.1", "4.8.2"),
	)
}

// powersAndTariffs has 9 items: powers and energies.
func powersAndTariffs() list {
	return sloveneList(
		[]field{octets("ISK1030000000001", "0-0:42.0.0")},
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0", "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2"),
	)
}

// fourItems is what comes once in a minute beside those: number, a status, energies.
func fourItems() list {
	return sloveneList(
		[]field{octets("10000001", "0-0:96.1.0"), fixed(dlms.Uint8, 0, "0-0:128.0.1")},
		numbers(dlms.Uint32, 0, "1.8.0", "2.8.0"),
	)
}

// clockParts are time and date of the meter in two fields, of four bytes and of five.
func clockParts() []field {
	part := func(of string, from, to int) field {
		f := octets("", of)
		f.write = func(dst []byte, s *State) []byte {
			return dlms.AppendOctets(dst, string(iskraClock.at(s.Time).Append(nil)[from:to]))
		}
		return f
	}
	return []field{part("0.9.1", 5, 9), part("0.9.2", 0, 5)}
}

// croatian is the list of IE.5: 33 items, three of them limits in lists of one.
func croatian() list {
	limit := octets("", "31.4.0")
	limit.write = func(dst []byte, _ *State) []byte {
		return dlms.AppendNumber(dlms.AppendList(dst, 1), dlms.Uint16, 10000)
	}
	return sloveneList(
		[]field{octets("10000001", "0-0:96.1.0")}, clockParts(),
		numbers(dlms.Uint32, 0, "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "5.8.0", "6.8.0", "7.8.0", "8.8.0"),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		numbers(dlms.Uint16, -3, "13.7.0"),
		numbers(dlms.Uint32, 0, "21.7.0", "41.7.0", "61.7.0", "22.7.0", "42.7.0", "62.7.0"),
		numbers(dlms.Uint16, -1, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		[]field{fixed(dlms.Uint32, 17250, "0-0:17.0.0"), limit, limit, limit, fixed(dlms.Boolean, 1, "0-0:96.3.10")},
	)
}

// croatianShort is the list of IE.5 without quadrants: 28 items.
func croatianShort() list {
	l := croatian()
	quadrants := []obis.Code{code("5.8.0"), code("6.8.0"), code("7.8.0"), code("8.8.0"), code("13.7.0")}
	l.fields = slices.DeleteFunc(l.fields, func(f field) bool { return slices.Contains(quadrants, f.code) })
	return l
}

// carinthian is the list of Kärnten: 12 items, the last two texts for people.
func carinthian() list {
	name := code("0-6:25.9.0")
	return sloveneList(
		[]field{octets(string(name[:]), "0-6:25.9.0"), octets("1000000000001", "0-0:96.1.0")}, clockParts(),
		numbers(dlms.Uint32, 0, totalEnergies...),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		[]field{octets("", "0-0:96.13.0"), octets("", "0-0:96.13.1")},
	)
}

// quarterly sends one list at each quarter of an hour, and the other at other times.
func quarterly(usual, energies list) encoder {
	return func(dst []byte, s *State) []byte {
		if s.Time.Minute()%15 == 0 && s.Time.Second() == 0 {
			return energies.append(dst, s)
		}
		return usual.append(dst, s)
	}
}

func iskraFamilies() []Family {
	like := Family{Make: "Iskraemeco", Country: "SI", Connector: rj12, Line: p1Line}
	return slices.Concat(
		each(like, iskraSegments.carry,
			row{name: "iskra-ch", title: "Iskraemeco AM550, push list in segments", list: iskraPush(), country: "CH"},
			row{name: "iskra-ch-registers", title: "Iskraemeco AM550, registers in segments", list: iskraRegisters(), country: "CH"},
		),
		each(like, iskraFrame.carry,
			row{name: "iskra-si", title: "Iskraemeco AM550 of Ljubljana, both lists as they come", encode: quarterly(ljubljana(), ljubljanaEnergies()), every: 5000},
			row{name: "iskra-si1", title: "Iskraemeco AM550 of Ljubljana, list of 18 alone", list: ljubljana(), every: 5000},
			row{name: "iskra-si2", title: "Iskraemeco AM550 of Ljubljana, list of 12 alone", list: ljubljanaEnergies()},
			row{name: "iskra-si-celje", title: "Iskraemeco AM550 of Celje, list of 12", list: celje("UP_3f", 3)},
			row{name: "iskra-si-celje-1p", title: "Iskraemeco AM550 of Celje, list of 8, one phase", list: celje("UP_1f", 1), phases: 1},
			row{name: "iskra-si-1p", title: "Iskraemeco AM550 of Ljubljana, list of 10, one phase", list: onePhase(), phases: 1},
			row{name: "iskra-si-1p-9", title: "Iskraemeco AM550 of Ljubljana, list of 9, one phase", list: onePhaseWithoutCurrent(), phases: 1},
			row{name: "iskra-si-energies", title: "Iskraemeco AM550 of Ljubljana, list of 10 energies", list: tariffEnergies()},
			row{name: "iskra-si-tariffs", title: "Iskraemeco AM550, list of 9 with energies", list: powersAndTariffs()},
			row{name: "iskra-si-short", title: "Iskraemeco AM550, list of 4", list: fourItems()},
			row{name: "iskra-hr", title: "Iskraemeco IE.5, list of 33", list: croatian(), country: "HR"},
			row{name: "iskra-hr-28", title: "Iskraemeco IE.5, list of 28", list: croatianShort(), country: "HR"},
			row{name: "iskra-at", title: "Iskraemeco AM550 of Carinthia, list of 12", encode: sealed("ISKit\x00\x00\x01", encrypted, carinthian().append), cipher: encrypted, country: "AT"},
		),
	)
}
