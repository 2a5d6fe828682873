package simulate

import "time"

// Lists of Kamstrup OMNIPOWER (HAN-NVE interface description 3.1): the name of the list, then codes of medium 1-1 with values, without
// scalers. Voltages are in V, energies in 10 Wh, currents in 0.01 A, or in mA for meters with current transformers.

// kamstrupClock is the clock of meters that set no flag for summer time.
var kamstrupClock = clock{zone: centralEuropean, withoutDeviation: true, hundredths: 0xFF}

var (
	kamstrupFrame          = frame{destination: "\x2B", source: "\x21", control: controlUI}
	kamstrupEncryptedFrame = frame{destination: "\x41", source: "\x03", control: controlUI}
)

// kamstrupHourlyOffset is how long after each whole hour list 2 is sent, in addition to list 1.
const kamstrupHourlyOffset = 5 * time.Second

func kamstrupFamilies() []Family {
	flaggedClock := kamstrupClock
	flaggedClock.summerFlag = true
	read := func(file string) encoder {
		return listEncoder(file, invokeID{}.stampedHeader(kamstrupClock), kamstrupClock)
	}
	readFlagged := func(file string) encoder {
		return listEncoder(file, invokeID{}.stampedHeader(flaggedClock), flaggedClock)
	}
	one, two := read("kamstrup-no1"), read("kamstrup-no2")
	hourly := oncePer(time.Hour, kamstrupHourlyOffset)
	all := readFlagged("kamstrup-dk")
	plain := withDefaults(Family{Make: "Kamstrup", Country: "NO", Connector: rj45, Line: kamstrupLine}, kamstrupFrame.wrap, []Family{
		{Name: "kamstrup-no", Title: "Kamstrup OMNIPOWER, lists 1 and 2 as they come", encode: hourly.encoder(one, two), HourlyOffset: kamstrupHourlyOffset},
		{Name: "kamstrup-no1", Title: "Kamstrup OMNIPOWER, list 1 alone", encode: one},
		{Name: "kamstrup-no2", Title: "Kamstrup OMNIPOWER, list 2 alone", encode: two},
		{Name: "kamstrup-no-1p", Title: "Kamstrup OMNIPOWER, list 2, one phase", encode: read("kamstrup-no-1p"), Phases: 1},
		{Name: "kamstrup-no-ct", Title: "Kamstrup OMNIPOWER for current transformers, list 1", encode: read("kamstrup-no-ct")},
		{Name: "kamstrup-se", Title: "Kamstrup OMNIPOWER, lists 1 and 2, energies in Wh", encode: hourly.encoder(one, read("kamstrup-se2")), HourlyOffset: kamstrupHourlyOffset, Country: "SE"},
		{Name: "kamstrup-dk-ct", Title: "Kamstrup OMNIPOWER for current transformers, list of 65 without a type, not encrypted", encode: readFlagged("kamstrup-dk-ct"), Country: "DK", Households: 12},
		{Name: "kamstrup-dk-plain", Title: "Kamstrup OMNIPOWER, list of 65, not encrypted", encode: all, Country: "DK"},
	})
	return append(plain, withDefaults(Family{Make: "Kamstrup", Country: "DK", Connector: rj45, Line: kamstrupLine, Cipher: authenticated}, kamstrupCipher, []Family{
		{Name: "kamstrup-dk", Title: "Kamstrup OMNIPOWER, list of 65", encode: all},
		{Name: "kamstrup-dk-1p", Title: "Kamstrup OMNIPOWER, list of 37, one phase", encode: readFlagged("kamstrup-dk-1p"), Phases: 1},
		{Name: "kamstrup-dk-25", Title: "Kamstrup OMNIPOWER, list of 25, voltages in 0.01 V", encode: read("kamstrup-dk-25")},
		{Name: "kamstrup-ch", Title: "Kamstrup OMNIPOWER, list of 65", encode: all, Country: "CH"},
	})...)
}

func kamstrupCipher(e encoder) encoder {
	return kamstrupEncryptedFrame.wrap(twoByteLength(gloCiphering("KAME\x01\x00\x00\x01", authenticated, e)))
}
