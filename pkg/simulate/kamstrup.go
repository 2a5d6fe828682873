package simulate

import "time"

// Lists of Kamstrup OMNIPOWER (HAN-NVE interface description 3.1): a name, then codes of medium 1-1 with values, without
// scalers: currents in 0.01 A, of meters behind transformers in mA, voltages in V, energies in 10 Wh.

// kamstrupClock has a flag for summer time in some firmware.
var kamstrupClock = clock{zone: centralEuropean, unspecified: true, hundredths: 0xFF}

var (
	kamstrupFrame  = frame{destination: "\x2B", source: "\x21", control: controlUI}
	kamstrupSealed = frame{destination: "\x41", source: "\x03", control: controlUI}
)

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
	push := kamstrupClock
	push.flagged = true
	read := func(file string) list { return readList(file, invoke{}.stamped(kamstrupClock), kamstrupClock) }
	readPush := func(file string) list { return readList(file, invoke{}.stamped(push), push) }
	one, two := read("kamstrup-no1"), read("kamstrup-no2")
	swedish := withHourly(one, read("kamstrup-se2"))
	all := readPush("kamstrup-dk")
	plain := each(Family{Make: "Kamstrup", Country: "NO", Connector: rj45, Line: noParity}, kamstrupFrame.carry,
		row{name: "kamstrup-no", title: "Kamstrup OMNIPOWER, lists 1 and 2 as they come", encode: withHourly(one, two), hourly: kamstrupHour},
		row{name: "kamstrup-no1", title: "Kamstrup OMNIPOWER, list 1 alone", list: one},
		row{name: "kamstrup-no2", title: "Kamstrup OMNIPOWER, list 2 alone", list: two},
		row{name: "kamstrup-no-1p", title: "Kamstrup OMNIPOWER, list 2, one phase", list: read("kamstrup-no-1p"), phases: 1},
		row{name: "kamstrup-no-ct", title: "Kamstrup OMNIPOWER for current transformers, list 1", list: read("kamstrup-no-ct")},
		row{name: "kamstrup-se", title: "Kamstrup OMNIPOWER, lists 1 and 2, energies in Wh", encode: swedish, hourly: kamstrupHour, country: "SE"},
		row{name: "kamstrup-dk-ct", title: "Kamstrup OMNIPOWER for current transformers, list of 65 without a type, not encrypted", list: readPush("kamstrup-dk-ct"), country: "DK", households: 12},
		row{name: "kamstrup-dk-plain", title: "Kamstrup OMNIPOWER, list of 65, not encrypted", list: all, country: "DK"},
	)
	return append(plain, each(Family{Make: "Kamstrup", Country: "DK", Connector: rj45, Line: noParity, Cipher: authenticated}, kamstrupCipher,
		row{name: "kamstrup-dk", title: "Kamstrup OMNIPOWER, list of 65", list: all},
		row{name: "kamstrup-dk-1p", title: "Kamstrup OMNIPOWER, list of 37, one phase", list: readPush("kamstrup-dk-1p"), phases: 1},
		row{name: "kamstrup-dk-25", title: "Kamstrup OMNIPOWER, list of 25, voltages in 0.01 V", list: read("kamstrup-dk-25")},
		row{name: "kamstrup-ch", title: "Kamstrup OMNIPOWER, list of 65", list: all, country: "CH"},
	)...)
}

func kamstrupCipher(e encoder) encoder {
	return kamstrupSealed.carry(wide(sealed("KAME\x01\x00\x00\x01", authenticated, e)))
}
