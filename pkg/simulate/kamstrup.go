package simulate

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Lists of Kamstrup OMNIPOWER (HAN-NVE interface description 3.1): a name, then codes of medium 1-1 with values, without
// scalers: currents in 0.01 A, of meters behind transformers in mA, voltages in V, energies in 10 Wh.

// kamstrupClock has a flag for summer time in some firmware.
var kamstrupClock = clock{zone: centralEuropean, unspecified: true, hundredths: 0xFF}

var (
	kamstrupFrame  = frame{destination: "\x2B", source: "\x21", control: controlUI}
	kamstrupSealed = frame{destination: "\x41", source: "\x03", control: controlUI}
)

// kamstrupScale is what the last digits of a meter are worth: of currents, voltages and energies.
type kamstrupScale struct{ current, voltage, energy int8 }

var usualScale = kamstrupScale{-2, 0, 1}

func kamstrupName() field { return bare(visible("Kamstrup_V0001", "1-1:0.2.129")) }

// kamstrupOne is list 1 of a type: 25 items. Where phases are missing, each pair is two nulls.
func kamstrupOne(kind string, k kamstrupScale, phases int) list {
	missing := slices.Repeat([]field{null()}, 2*(3-phases))
	return list{shape: pairs, stamp: invoke{}.stamped(kamstrupClock), fields: slices.Concat(
		[]field{kamstrupName(), octets("5706560000000001", "1-1:0.0.5"), octets(kind, "1-1:96.1.1")},
		on("1-1", numbers(dlms.Uint32, 0, totalPowers...)),
		on("1-1", numbers(dlms.Uint32, k.current, currents[:phases]...)), missing,
		on("1-1", numbers(dlms.Uint16, k.voltage, voltages[:phases]...)), missing,
	)}
}

// kamstrupTwo is list 2, for a list 1: 35 items, with clock and the energies of the last whole hour.
func kamstrupTwo(l list, k kamstrupScale) list {
	l.fields = slices.Concat(l.fields, []field{kamstrupClock.field("0-1:1.0.0")}, on("1-1", numbers(dlms.Uint32, k.energy, totalEnergies...)))
	l.hourly = true
	return l
}

// kamstrupPush is "DLMS push 1" of Denmark and Switzerland: 65 items with three phases, 37 with one. It has a number, but no type.
func kamstrupPush(phases int, number int64, k kamstrupScale) list {
	c := kamstrupClock
	c.flagged = true
	of := func(group string) []string {
		return []string{"2" + group, "4" + group, "6" + group}[:phases]
	}
	return list{shape: pairs, stamp: invoke{}.stamped(c), fields: slices.Concat(
		[]field{kamstrupName()},
		on("1-1", numbers(dlms.Uint32, 1, totalEnergies...)),
		[]field{fixed(dlms.Uint32, number, "1-1:0.0.1")},
		on("1-1", numbers(dlms.Uint32, 0, totalPowers...)),
		[]field{c.field("0-1:1.0.0")},
		on("1-1", numbers(dlms.Uint16, 0, voltages[:phases]...)),
		on("1-1", numbers(dlms.Uint32, k.current, currents[:phases]...)),
		on("1-1", numbers(dlms.Uint32, 0, of("1.7.0")...)),
		on("1-1", numbers(dlms.Uint16, -2, []string{"33.7.0", "53.7.0", "73.7.0"}[:phases]...)),
		on("1-1", numbers(dlms.Uint16, -2, "13.7.0")),
		on("1-1", numbers(dlms.Uint32, 0, of("2.7.0")...)),
		on("1-1", numbers(dlms.Uint32, 1, of("2.8.0")...)),
		on("1-1", numbers(dlms.Uint32, 1, of("1.8.0")...)),
	)}
}

// kamstrupHour is when list 2 comes, besides list 1.
const kamstrupHour = 5 * time.Second

func withHourly(list1, list2 list) encoder {
	return func(dst []byte, s *State) []byte {
		if s.Time.Equal(s.Hour.Add(kamstrupHour)) {
			return list2.append(dst, s)
		}
		return list1.append(dst, s)
	}
}

func kamstrupFamilies() []Family {
	const direct, single, transformed = "6841100BN200000001", "6861100BN200000001", "6851100BN200000001"
	hundredths := kamstrupScale{-2, -2, 1}
	wattHours := kamstrupScale{-2, 0, 0}
	thousandths := kamstrupScale{-3, 0, 1}
	one := kamstrupOne(direct, usualScale, 3)
	two := kamstrupTwo(one, usualScale)
	swedish := kamstrupOne(direct, wattHours, 3)
	plain := each(Family{Make: "Kamstrup", Country: "NO", Connector: rj45, Line: noParity}, kamstrupFrame.carry,
		row{name: "kamstrup-no", title: "Kamstrup OMNIPOWER, lists 1 and 2 as they come", encode: withHourly(one, two), hourly: kamstrupHour},
		row{name: "kamstrup-no1", title: "Kamstrup OMNIPOWER, list 1 alone", list: one},
		row{name: "kamstrup-no2", title: "Kamstrup OMNIPOWER, list 2 alone", list: two},
		row{name: "kamstrup-no-1p", title: "Kamstrup OMNIPOWER, list 2, one phase", list: kamstrupTwo(kamstrupOne(single, usualScale, 1), usualScale), phases: 1},
		row{name: "kamstrup-no-ct", title: "Kamstrup OMNIPOWER for current transformers, list 1", list: kamstrupOne(transformed, thousandths, 3)},
		row{name: "kamstrup-se", title: "Kamstrup OMNIPOWER, lists 1 and 2, energies in Wh", encode: withHourly(swedish, kamstrupTwo(swedish, wattHours)), hourly: kamstrupHour, country: "SE"},
		row{name: "kamstrup-dk-ct", title: "Kamstrup OMNIPOWER for current transformers, list of 65 without a type, not encrypted", list: kamstrupPush(3, 20000002, thousandths), country: "DK", households: 12},
		row{name: "kamstrup-dk-plain", title: "Kamstrup OMNIPOWER, list of 65, not encrypted", list: kamstrupPush(3, 20000001, usualScale), country: "DK"},
	)
	return append(plain, each(Family{Make: "Kamstrup", Country: "DK", Connector: rj45, Line: noParity, Cipher: authenticated}, kamstrupCipher,
		row{name: "kamstrup-dk", title: "Kamstrup OMNIPOWER, list of 65", list: kamstrupPush(3, 20000001, usualScale)},
		row{name: "kamstrup-dk-1p", title: "Kamstrup OMNIPOWER, list of 37, one phase", list: kamstrupPush(1, 20000001, usualScale), phases: 1},
		row{name: "kamstrup-dk-25", title: "Kamstrup OMNIPOWER, list of 25, voltages in 0.01 V", list: kamstrupOne(direct, hundredths, 3)},
		row{name: "kamstrup-ch", title: "Kamstrup OMNIPOWER, list of 65", list: kamstrupPush(3, 20000001, usualScale), country: "CH"},
	)...)
}

func kamstrupCipher(e encoder) encoder {
	return kamstrupSealed.carry(wide(sealed("KAME\x01\x00\x00\x01", authenticated, e)))
}
