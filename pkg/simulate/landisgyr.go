package simulate

import "slices"

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

// e450 is a list of an E450 or E570.
func e450(file string) list { return readList(file, countingInvoke.stamped(e450Clock), e450Clock) }

// inTurns sends the two lists of Slovenia by turns: totals with the number of the meter, phases with that of its place.
func inTurns(totals, phases list) encoder {
	return func(dst []byte, s *State) []byte {
		if s.Time.Unix()/2%2 == 0 {
			return phases.append(dst, s)
		}
		return totals.append(dst, s)
	}
}

func landisgyrFamilies() []Family {
	const title, titleE570, titleCT, titleAT = "LGZgs\x00\x00\x01", "LGZgt\x00\x00\x01", "LGZgt\x00\x00\x02", "LGZgr\x00\x00\x01"
	swiss := Family{Make: "Landis+Gyr", Country: "CH", Connector: rj12, Line: mbusLine}
	return slices.Concat(
		each(swiss, e450Blocks.carry,
			row{name: "landisgyr-ch", title: "Landis+Gyr E450, push list in blocks", list: e450("landisgyr-ch")},
			row{name: "landisgyr-ch-quadrants", title: "Landis+Gyr E450, push list in blocks, quadrants", list: e450("landisgyr-ch-quadrants")},
			row{name: "landisgyr-ch-glo", title: "Landis+Gyr E450, codes and values in blocks", encode: sealed(title, authenticated, e450("landisgyr-ch-glo").append), cipher: authenticated},
		),
		each(swiss, e570Blocks.carry,
			row{name: "landisgyr-e570", title: "Landis+Gyr E570, push list in blocks", encode: sealed(titleE570, encrypted, e450("landisgyr-e570").append), cipher: encrypted},
			row{name: "landisgyr-e570-ct", title: "Landis+Gyr E570 behind current transformers, push list in blocks", encode: sealed(titleCT, encrypted, e450("landisgyr-e570-ct").append), cipher: encrypted, households: 40},
		),
		each(swiss, e360Frame.carry,
			row{name: "landisgyr-e360-ch", title: "Landis+Gyr E360, push list", list: readList("landisgyr-e360-ch", countingInvoke.stamped(e360Clock), e360Clock)},
		),
		each(swiss, e450Frame.carry,
			row{name: "landisgyr-si", title: "Landis+Gyr E450 in Slovenia, two lists of values alone", encode: inTurns(e450("landisgyr-si1"), e450("landisgyr-si2")), country: "SI", line: noParity, every: 2000},
			row{name: "landisgyr-at", title: "Landis+Gyr E450 of Burgenland, values alone", encode: sealed(titleAT, authenticated, e450("landisgyr-at").append), cipher: authenticated, country: "AT"},
			row{name: "landisgyr-at-11", title: "Landis+Gyr E450 of Burgenland, values alone, list of 11", encode: sealed(titleAT, authenticated, e450("landisgyr-at-11").append), cipher: authenticated, country: "AT"},
		),
	)
}

// Sagemcom XT211 in Switzerland and the Czech Republic: attribute descriptors without tags. Only bare messages of it are
// known: the frame around them here is a guess.

var xt211Frame = frame{destination: "\x03", source: "\x03", control: controlUI}

func sagemcomFamilies() []Family {
	read := func(file string, id uint32) list {
		return readList(file, invoke{id: id, counts: true}.unstamped(), clock{})
	}
	return each(Family{Make: "Sagemcom", Country: "CH", Connector: rj12, Line: "9600 8N1"}, xt211Frame.carry,
		row{name: "sagemcom-ch", title: "Sagemcom XT211, bare attribute descriptors", list: read("sagemcom-ch", 0x80000000)},
		row{name: "sagemcom-cz", title: "Sagemcom XT211 of EG.D, bare attribute descriptors", list: read("sagemcom-cz", 0), country: "CZ"},
	)
}
