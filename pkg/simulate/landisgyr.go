package simulate

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Landis+Gyr E450, E570 and E360 in Switzerland, E450 in Burgenland and Slovenia. Push lists have no scalers: here voltages in V, on the
// E360 in 0.1 V, currents in 0.01 A.

var (
	e450Frame  = frame{destination: "\xCE\xFF", source: "\x03", control: controlUI}
	e450Blocks = frame{destination: "\xCE\xFF", source: "\x03", control: controlUI, block: 122}
	e570Blocks = frame{destination: "\xCE\x9B", source: "\x03", control: controlUI, block: 116}
	e360Frame  = frame{destination: "\xCF", source: "\x03", control: controlUI}
)

var (
	e450Clock = clock{zone: centralEuropean, unspecified: true, hundredths: 0xFF}
	e360Clock = clock{zone: centralEuropean, hundredths: 0xFF, flagged: true}
)

var countingInvoke = invoke{counts: true}

// pushSetup is the first entry of a push list, without a value of its own.
func pushSetup(of string) field { return field{code: code(of), class: 40} }

// pushName is the entry of the push's own name, which is its value.
func pushName(of string) field {
	c := code(of)
	f := octets(string(c[:]), of)
	f.class, f.attribute = 40, 1
	return f
}

// e450Push is what a Swiss grid company has its meters push: all quantities of interest in one list.
func e450Push() list {
	return list{shape: pushed, stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{
			pushSetup("0-8:25.9.0"), pushName("0-8:25.9.0"),
			octets("LGZ1030000000001", "0-0:42.0.0"), octets("1000001", "0-0:96.1.1"), e450Clock.field("0-0:1.0.0"),
		},
		on("1-1", numbers(dlms.Uint32, 0, totalEnergies...)),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		numbers(dlms.Uint16, 0, voltages...),
		numbers(dlms.Uint16, -2, currents...),
	)}
}

// e450Quadrants is another company's: with reactive energy by quadrants, without voltages.
func e450Quadrants() list {
	return list{shape: pushed, stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{pushSetup("0-8:25.9.0"), pushName("0-8:25.9.0"), octets("10000001", "0-0:96.1.0")},
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		on("1-1", numbers(dlms.Uint32, 0, "1.8.0", "2.8.0", "5.8.0", "6.8.0", "7.8.0", "8.8.0")),
		numbers(dlms.Uint16, -2, currents...),
	)}
}

// e450Pairs is what encrypted meters push: a clock without a code, then codes and values, with tariffs.
func e450Pairs() list {
	var codes []string
	for _, c := range []string{"1", "2", "3", "4"} {
		codes = append(codes, c+".8.0", c+".8.1", c+".8.2", c+".7.0")
	}
	return list{shape: pairs, stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{bare(e450Clock.field("0-0:1.0.0"))}, numbers(dlms.Uint32, 0, codes...),
	)}
}

// e450Burgenland has no codes. What the numbers before the meter's own are is not known, and some meters send none.
func e450Burgenland(unknown ...field) list {
	return list{stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		numbers(dlms.Uint16, 0, voltages...),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0", "1.8.0", "2.8.0"),
		unknown,
		[]field{octets("10000001", "0-0:96.1.0")},
	)}
}

// e450Unknown never change here.
func e450Unknown() []field {
	return []field{
		fixed(dlms.Uint16, 400, "0-0:128.0.1"), fixed(dlms.Uint16, 64, "0-0:128.0.2"), fixed(dlms.Uint16, 300, "0-0:128.0.3"),
	}
}

// e450Slovenia is two lists without codes, by turns: totals with the number of the meter, phases with that of its place.
func e450Slovenia() encoder {
	totals := list{stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{octets("100000000001", "0-0:96.1.0")},
		numbers(dlms.Uint32, 0, totalPowers...),
		numbers(dlms.Uint32, 0, totalEnergies...),
	)}
	phases := list{stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{octets("200000000001", "0-0:96.1.2")},
		numbers(dlms.Uint16, 0, "14.7.0"),
		numbers(dlms.Uint16, -2, currents...),
		numbers(dlms.Uint16, 0, voltages...),
		numbers(dlms.Uint32, 0, "21.7.0", "41.7.0", "61.7.0", "22.7.0", "42.7.0", "62.7.0"),
	)}
	return func(dst []byte, s *State) []byte {
		if s.Time.Unix()/2%2 == 0 {
			return phases.append(dst, s)
		}
		return totals.append(dst, s)
	}
}

// e570Push has the order of the E450's, and no clock. Behind current transformers its currents are in A.
func e570Push(name string, current int8) list {
	return list{shape: pushed, stamp: countingInvoke.stamped(e450Clock), fields: slices.Concat(
		[]field{pushSetup("0-8:25.9.0"), octets(name, "0-0:42.0.0")},
		on("1-1", numbers(dlms.Uint32, 0, totalEnergies...)),
		on("1-1", numbers(dlms.Uint32, 0, "1.8.1", "1.8.2", "2.8.1", "2.8.2", "5.8.0", "6.8.0", "7.8.0", "8.8.0")),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		numbers(dlms.Uint16, 0, voltages...),
		numbers(dlms.Uint16, current, currents...),
	)}
}

// e360Push has voltages in 0.1 V, and that of L3 before that of L2.
func e360Push() list {
	return list{shape: pushed, stamp: countingInvoke.stamped(e360Clock), fields: slices.Concat(
		[]field{pushSetup("0-6:25.9.0"), octets("LGZ1030000000003", "0-0:42.0.0")},
		on("1-1", numbers(dlms.Uint32, 0, totalEnergies...)),
		numbers(dlms.Uint32, 0, "1.7.0", "2.7.0"),
		numbers(dlms.Uint16, -1, "32.7.0", "72.7.0", "52.7.0"),
		numbers(dlms.Uint16, -2, currents...),
	)}
}

func landisgyrFamilies() []Family {
	const title, titleE570, titleCT, titleAT = "LGZgs\x00\x00\x01", "LGZgt\x00\x00\x01", "LGZgt\x00\x00\x02", "LGZgr\x00\x00\x01"
	swiss := Family{Make: "Landis+Gyr", Country: "CH", Connector: rj12, Line: mbusLine}
	return slices.Concat(
		each(swiss, e450Blocks.carry,
			row{name: "landisgyr-ch", title: "Landis+Gyr E450, push list in blocks", list: e450Push()},
			row{name: "landisgyr-ch-quadrants", title: "Landis+Gyr E450, push list in blocks, quadrants", list: e450Quadrants()},
			row{name: "landisgyr-ch-glo", title: "Landis+Gyr E450, codes and values in blocks", encode: sealed(title, authenticated, e450Pairs().append), cipher: authenticated},
		),
		each(swiss, e570Blocks.carry,
			row{name: "landisgyr-e570", title: "Landis+Gyr E570, push list in blocks", encode: sealed(titleE570, encrypted, e570Push("LGZ1030000000002", -2).append), cipher: encrypted},
			row{name: "landisgyr-e570-ct", title: "Landis+Gyr E570 behind current transformers, push list in blocks", encode: sealed(titleCT, encrypted, e570Push("LGZ1030000000004", 0).append), cipher: encrypted, households: 40},
		),
		each(swiss, e360Frame.carry,
			row{name: "landisgyr-e360-ch", title: "Landis+Gyr E360, push list", list: e360Push()},
		),
		each(swiss, e450Frame.carry,
			row{name: "landisgyr-si", title: "Landis+Gyr E450 in Slovenia, two lists of values alone", encode: e450Slovenia(), country: "SI", line: noParity, every: 2000},
			row{name: "landisgyr-at", title: "Landis+Gyr E450 of Burgenland, values alone", encode: sealed(titleAT, authenticated, e450Burgenland(e450Unknown()...).append), cipher: authenticated, country: "AT"},
			row{name: "landisgyr-at-11", title: "Landis+Gyr E450 of Burgenland, values alone, list of 11", encode: sealed(titleAT, authenticated, e450Burgenland().append), cipher: authenticated, country: "AT"},
		),
	)
}
