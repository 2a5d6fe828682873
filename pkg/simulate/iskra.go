package simulate

import (
	"slices"
	"time"
)

// Iskraemeco AM550 and IE.5 in HDLC: push lists and registers in Switzerland, lists of values without OBIS codes in Slovenia, Croatia and
// Austria. Voltages are in 0.1 V, currents in 0.01 A.

var (
	iskraFrame          = frame{destination: "\xCF", source: "\x02\x23", control: controlUI}
	iskraSegmentedFrame = frame{destination: "\xCF", source: "\x02\x23", control: controlUI, segment: 154}
)

var iskraClock = clock{zone: centralEuropean, summerFlag: true}

func iskraList(file string) encoder {
	return listEncoder(file, countingInvoke.stampedHeader(iskraClock), iskraClock)
}

func iskraFamilies() []Family {
	defaults := Family{Make: "Iskraemeco", Country: "SI", Connector: rj12, Line: p1Line}
	return slices.Concat(
		withDefaults(defaults, iskraSegmentedFrame.wrap, []Family{
			{Name: "iskra-ch", Title: "Iskraemeco AM550, push list in segments", encode: iskraList("iskra-ch"), Country: "CH"},
			{Name: "iskra-ch-registers", Title: "Iskraemeco AM550, registers in segments", encode: iskraList("iskra-ch-registers"), Country: "CH"},
		}),
		withDefaults(defaults, iskraFrame.wrap, []Family{
			{Name: "iskra-si", Title: "Iskraemeco AM550 of Ljubljana, both lists in their intervals", encode: oncePer(15*time.Minute, 0).encoder(iskraList("iskra-si1"), iskraList("iskra-si2")), Interval: 5 * time.Second},
			{Name: "iskra-si1", Title: "Iskraemeco AM550 of Ljubljana, only list of 18", encode: iskraList("iskra-si1"), Interval: 5 * time.Second},
			{Name: "iskra-si2", Title: "Iskraemeco AM550 of Ljubljana, only list of 12", encode: iskraList("iskra-si2")},
			{Name: "iskra-si-celje", Title: "Iskraemeco AM550 of Celje, list of 12", encode: iskraList("iskra-si-celje")},
			{Name: "iskra-si-celje-1p", Title: "Iskraemeco AM550 of Celje, list of 8, one phase", encode: iskraList("iskra-si-celje-1p"), Phases: 1},
			{Name: "iskra-si-1p", Title: "Iskraemeco AM550 of Ljubljana, list of 10, one phase", encode: iskraList("iskra-si-1p"), Phases: 1},
			{Name: "iskra-si-1p-9", Title: "Iskraemeco AM550 of Ljubljana, list of 9, one phase", encode: iskraList("iskra-si-1p-9"), Phases: 1},
			{Name: "iskra-si-energies", Title: "Iskraemeco AM550 of Ljubljana, list of 10 energies", encode: iskraList("iskra-si-energies")},
			{Name: "iskra-si-tariffs", Title: "Iskraemeco AM550, list of 9 with energies", encode: iskraList("iskra-si-tariffs")},
			{Name: "iskra-si-short", Title: "Iskraemeco AM550, list of 4", encode: iskraList("iskra-si-short")},
			{Name: "iskra-hr", Title: "Iskraemeco IE.5, list of 33", encode: iskraList("iskra-hr"), Country: "HR"},
			{Name: "iskra-hr-28", Title: "Iskraemeco IE.5, list of 28", encode: iskraList("iskra-hr-28"), Country: "HR"},
			{Name: "iskra-at", Title: "Iskraemeco AM550 of Carinthia, list of 12", encode: gloCiphering("ISKit\x00\x00\x01", encrypted, iskraList("iskra-at")), Cipher: encrypted, Country: "AT"},
		}),
	)
}
