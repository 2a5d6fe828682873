package simulate

import "slices"

// Iskraemeco AM550 and IE.5 in HDLC: push lists and registers in Switzerland, values without codes in Slovenia, Croatia and
// Austria: voltages in 0.1 V, currents in 0.01 A.

var (
	iskraFrame    = frame{destination: "\xCF", source: "\x02\x23", control: controlUI}
	iskraSegments = frame{destination: "\xCF", source: "\x02\x23", control: controlUI, segment: 154}
)

var iskraClock = clock{zone: centralEuropean, flagged: true}

func iskraList(file string) list {
	return readList(file, countingInvoke.stamped(iskraClock), iskraClock)
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
			row{name: "iskra-ch", title: "Iskraemeco AM550, push list in segments", list: iskraList("iskra-ch"), country: "CH"},
			row{name: "iskra-ch-registers", title: "Iskraemeco AM550, registers in segments", list: iskraList("iskra-ch-registers"), country: "CH"},
		),
		each(like, iskraFrame.carry,
			row{name: "iskra-si", title: "Iskraemeco AM550 of Ljubljana, both lists as they come", encode: quarterly(iskraList("iskra-si1"), iskraList("iskra-si2")), every: 5000},
			row{name: "iskra-si1", title: "Iskraemeco AM550 of Ljubljana, list of 18 alone", list: iskraList("iskra-si1"), every: 5000},
			row{name: "iskra-si2", title: "Iskraemeco AM550 of Ljubljana, list of 12 alone", list: iskraList("iskra-si2")},
			row{name: "iskra-si-celje", title: "Iskraemeco AM550 of Celje, list of 12", list: iskraList("iskra-si-celje")},
			row{name: "iskra-si-celje-1p", title: "Iskraemeco AM550 of Celje, list of 8, one phase", list: iskraList("iskra-si-celje-1p"), phases: 1},
			row{name: "iskra-si-1p", title: "Iskraemeco AM550 of Ljubljana, list of 10, one phase", list: iskraList("iskra-si-1p"), phases: 1},
			row{name: "iskra-si-1p-9", title: "Iskraemeco AM550 of Ljubljana, list of 9, one phase", list: iskraList("iskra-si-1p-9"), phases: 1},
			row{name: "iskra-si-energies", title: "Iskraemeco AM550 of Ljubljana, list of 10 energies", list: iskraList("iskra-si-energies")},
			row{name: "iskra-si-tariffs", title: "Iskraemeco AM550, list of 9 with energies", list: iskraList("iskra-si-tariffs")},
			row{name: "iskra-si-short", title: "Iskraemeco AM550, list of 4", list: iskraList("iskra-si-short")},
			row{name: "iskra-hr", title: "Iskraemeco IE.5, list of 33", list: iskraList("iskra-hr"), country: "HR"},
			row{name: "iskra-hr-28", title: "Iskraemeco IE.5, list of 28", list: iskraList("iskra-hr-28"), country: "HR"},
			row{name: "iskra-at", title: "Iskraemeco AM550 of Carinthia, list of 12", encode: sealed("ISKit\x00\x00\x01", encrypted, iskraList("iskra-at").append), cipher: encrypted, country: "AT"},
		),
	)
}
