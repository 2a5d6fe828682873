package simulate

import "time"

// Lists of Kamstrup OMNIPOWER (HAN-NVE interface description 3.1): the name of the list, then pairs of a code 1-1:C.D.E and a value, without
// scalers. Voltages are in V, energies in 10 Wh, currents in 0.01 A, or in mA for meters with current transformers.

// kamstrupClock is the clock of meters that set no flag for summer time.
var kamstrupClock = clock{zone: centralEuropean, withoutDeviation: true, hundredths: 0xFF}

var (
	kamstrupFrame          = frame{destination: "\x2B", source: "\x21", control: controlUI}
	kamstrupEncryptedFrame = frame{destination: "\x41", source: "\x03", control: controlUI}
)

// kamstrupHourlyOffset is the time from each whole hour to the telegram with list 2. All other telegrams have list 1.
const kamstrupHourlyOffset = 5 * time.Second

func kamstrupFamilies() []Family {
	flaggedClock := kamstrupClock
	flaggedClock.summerFlag = true
	encode := func(file string) encoder {
		return listEncoder(file, invokeID{}.stampedHeader(kamstrupClock), kamstrupClock)
	}
	encodeFlagged := func(file string) encoder {
		return listEncoder(file, invokeID{}.stampedHeader(flaggedClock), flaggedClock)
	}
	list1, list2 := encode("kamstrup-no1"), encode("kamstrup-no2")
	hourly := oncePer(time.Hour, kamstrupHourlyOffset)
	list65 := encodeFlagged("kamstrup-dk")
	plain := withDefaults(Family{Make: "Kamstrup", Country: "NO", Connector: rj45, Line: kamstrupLine}, kamstrupFrame.wrap, []Family{
		{Name: "kamstrup-no", Title: "Kamstrup OMNIPOWER, lists 1 and 2 in their intervals", encode: hourly.encoder(list1, list2), HourlyOffset: kamstrupHourlyOffset},
		{Name: "kamstrup-no1", Title: "Kamstrup OMNIPOWER, only list 1", encode: list1},
		{Name: "kamstrup-no2", Title: "Kamstrup OMNIPOWER, only list 2", encode: list2},
		{Name: "kamstrup-no-1p", Title: "Kamstrup OMNIPOWER, list 2, one phase", encode: encode("kamstrup-no-1p"), Phases: 1},
		{Name: "kamstrup-no-ct", Title: "Kamstrup OMNIPOWER for current transformers, list 1", encode: encode("kamstrup-no-ct")},
		{Name: "kamstrup-se", Title: "Kamstrup OMNIPOWER, lists 1 and 2, energies in Wh", encode: hourly.encoder(list1, encode("kamstrup-se2")), HourlyOffset: kamstrupHourlyOffset, Country: "SE"},
		{Name: "kamstrup-dk-ct", Title: "Kamstrup OMNIPOWER for current transformers, list of 65 without the meter type, not encrypted", encode: encodeFlagged("kamstrup-dk-ct"), Country: "DK", Households: 12},
		{Name: "kamstrup-dk-plain", Title: "Kamstrup OMNIPOWER, list of 65, not encrypted", encode: list65, Country: "DK"},
	})
	return append(plain, withDefaults(Family{Make: "Kamstrup", Country: "DK", Connector: rj45, Line: kamstrupLine, Cipher: authenticated}, kamstrupCipher, []Family{
		{Name: "kamstrup-dk", Title: "Kamstrup OMNIPOWER, list of 65", encode: list65},
		{Name: "kamstrup-dk-1p", Title: "Kamstrup OMNIPOWER, list of 37, one phase", encode: encodeFlagged("kamstrup-dk-1p"), Phases: 1},
		{Name: "kamstrup-dk-25", Title: "Kamstrup OMNIPOWER, list of 25, voltages in 0.01 V", encode: encode("kamstrup-dk-25")},
		{Name: "kamstrup-ch", Title: "Kamstrup OMNIPOWER, list of 65", encode: list65, Country: "CH"},
	})...)
}

func kamstrupCipher(e encoder) encoder {
	return kamstrupEncryptedFrame.wrap(twoByteLength(gloCiphering("KAME\x01\x00\x00\x01", authenticated, e)))
}
