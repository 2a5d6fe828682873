package simulate

import (
	"slices"
	"time"
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

// e450 is a list of an E450 or E570.
func e450(file string) encoder { return readList(file, countingInvoke.stamped(e450Clock), e450Clock) }

// inTurns is the schedule of Slovenia: phases with the number of the meter's place, then totals with that of the meter.
func inTurns(t time.Time) int { return int(t.Unix() / 2 % 2) }

func landisgyrFamilies() []Family {
	const title, titleE570, titleCT, titleAT = "LGZgs\x00\x00\x01", "LGZgt\x00\x00\x01", "LGZgt\x00\x00\x02", "LGZgr\x00\x00\x01"
	swiss := Family{Make: "Landis+Gyr", Country: "CH", Connector: rj12, Line: mbusLine}
	return slices.Concat(
		each(swiss, e450Blocks.carry, []Family{
			{Name: "landisgyr-ch", Title: "Landis+Gyr E450, push list in blocks", encode: e450("landisgyr-ch")},
			{Name: "landisgyr-ch-quadrants", Title: "Landis+Gyr E450, push list in blocks, quadrants", encode: e450("landisgyr-ch-quadrants")},
			{Name: "landisgyr-ch-glo", Title: "Landis+Gyr E450, codes and values in blocks", encode: sealed(title, authenticated, e450("landisgyr-ch-glo")), Cipher: authenticated},
		}),
		each(swiss, e570Blocks.carry, []Family{
			{Name: "landisgyr-e570", Title: "Landis+Gyr E570, push list in blocks", encode: sealed(titleE570, encrypted, e450("landisgyr-e570")), Cipher: encrypted},
			{Name: "landisgyr-e570-ct", Title: "Landis+Gyr E570 behind current transformers, push list in blocks", encode: sealed(titleCT, encrypted, e450("landisgyr-e570-ct")), Cipher: encrypted, Households: 40},
		}),
		each(swiss, e360Frame.carry, []Family{
			{Name: "landisgyr-e360-ch", Title: "Landis+Gyr E360, push list", encode: readList("landisgyr-e360-ch", countingInvoke.stamped(e360Clock), e360Clock)},
		}),
		each(swiss, e450Frame.carry, []Family{
			{Name: "landisgyr-si", Title: "Landis+Gyr E450 in Slovenia, two lists of values alone", encode: schedule(inTurns).of(e450("landisgyr-si2"), e450("landisgyr-si1")), Country: "SI", Line: noParity, Interval: 2 * time.Second},
			{Name: "landisgyr-at", Title: "Landis+Gyr E450 of Burgenland, values alone", encode: sealed(titleAT, authenticated, e450("landisgyr-at")), Cipher: authenticated, Country: "AT"},
			{Name: "landisgyr-at-11", Title: "Landis+Gyr E450 of Burgenland, values alone, list of 11", encode: sealed(titleAT, authenticated, e450("landisgyr-at-11")), Cipher: authenticated, Country: "AT"},
		}),
	)
}

// Sagemcom XT211 in Switzerland and the Czech Republic: attribute descriptors without tags. Only bare messages of it are
// known: the frame around them here is a guess.

var xt211Frame = frame{destination: "\x03", source: "\x03", control: controlUI}

func sagemcomFamilies() []Family {
	read := func(file string, id uint32) encoder {
		return readList(file, invoke{id: id, counts: true}.unstamped(), clock{})
	}
	return each(Family{Make: "Sagemcom", Country: "CH", Connector: rj12, Line: "9600 8N1"}, xt211Frame.carry, []Family{
		{Name: "sagemcom-ch", Title: "Sagemcom XT211, bare attribute descriptors", encode: read("sagemcom-ch", 0x80000000)},
		{Name: "sagemcom-cz", Title: "Sagemcom XT211 of EG.D, bare attribute descriptors", encode: read("sagemcom-cz", 0), Country: "CZ"},
	})
}
