package simulate

import (
	"slices"
	"time"
)

// Landis+Gyr E450, E570 and E360 in Switzerland, E450 in Burgenland and Slovenia. Push lists have no scalers: currents are in 0.01 A,
// voltages in V, or in 0.1 V on the E360.

var (
	e450Frame  = frame{destination: "\xCE\xFF", source: "\x03", control: controlUI}
	e450Blocks = frame{destination: "\xCE\xFF", source: "\x03", control: controlUI, block: 122}
	e570Blocks = frame{destination: "\xCE\x9B", source: "\x03", control: controlUI, block: 116}
	e360Frame  = frame{destination: "\xCF", source: "\x03", control: controlUI}
)

var (
	e450Clock = clock{zone: centralEuropean, withoutDeviation: true, hundredths: 0xFF}
	e360Clock = clock{zone: centralEuropean, hundredths: 0xFF, summerFlag: true}
)

// e450 returns the encoder of a list of an E450 or E570.
func e450(file string) encoder {
	return listEncoder(file, countingInvoke.stampedHeader(e450Clock), e450Clock)
}

// inTurns is the schedule of Slovenian meters, which alternate between two lists. One list has the values of the phases and the number of the
// metering point. The other list has the totals and the number of the meter.
func inTurns(t time.Time) int { return int(t.Unix() / 2 % 2) }

func landisgyrFamilies() []Family {
	const titleE450, titleE570, titleE570CT, titleAT = "LGZgs\x00\x00\x01", "LGZgt\x00\x00\x01", "LGZgt\x00\x00\x02", "LGZgr\x00\x00\x01" // system titles
	swiss := Family{Make: "Landis+Gyr", Country: "CH", Connector: rj12, Line: mbusLine}
	return slices.Concat(
		withDefaults(swiss, e450Blocks.wrap, []Family{
			{Name: "landisgyr-ch", Title: "Landis+Gyr E450, push list in blocks", encode: e450("landisgyr-ch")},
			{Name: "landisgyr-ch-quadrants", Title: "Landis+Gyr E450, push list in blocks, quadrants", encode: e450("landisgyr-ch-quadrants")},
			{Name: "landisgyr-ch-glo", Title: "Landis+Gyr E450, codes and values in blocks", encode: gloCiphering(titleE450, authenticated, e450("landisgyr-ch-glo")), Cipher: authenticated},
		}),
		withDefaults(swiss, e570Blocks.wrap, []Family{
			{Name: "landisgyr-e570", Title: "Landis+Gyr E570, push list in blocks", encode: gloCiphering(titleE570, encrypted, e450("landisgyr-e570")), Cipher: encrypted},
			{Name: "landisgyr-e570-ct", Title: "Landis+Gyr E570 with current transformers, push list in blocks", encode: gloCiphering(titleE570CT, encrypted, e450("landisgyr-e570-ct")), Cipher: encrypted, Households: 40},
		}),
		withDefaults(swiss, e360Frame.wrap, []Family{
			{Name: "landisgyr-e360-ch", Title: "Landis+Gyr E360, push list", encode: listEncoder("landisgyr-e360-ch", countingInvoke.stampedHeader(e360Clock), e360Clock)},
		}),
		withDefaults(swiss, e450Frame.wrap, []Family{
			{Name: "landisgyr-si", Title: "Landis+Gyr E450 in Slovenia, two lists of values without codes", encode: schedule(inTurns).encoder(e450("landisgyr-si2"), e450("landisgyr-si1")), Country: "SI", Line: kamstrupLine, Interval: 2 * time.Second},
			{Name: "landisgyr-at", Title: "Landis+Gyr E450 of Burgenland, values without codes", encode: gloCiphering(titleAT, authenticated, e450("landisgyr-at")), Cipher: authenticated, Country: "AT"},
			{Name: "landisgyr-at-11", Title: "Landis+Gyr E450 of Burgenland, list of 11 values without codes", encode: gloCiphering(titleAT, authenticated, e450("landisgyr-at-11")), Cipher: authenticated, Country: "AT"},
		}),
	)
}

// Sagemcom XT211 in Switzerland and the Czech Republic: attribute descriptors without tags. All known messages of the
// XT211 were published without their frames, so xt211Frame is a guess.

var xt211Frame = frame{destination: "\x03", source: "\x03", control: controlUI}

func sagemcomFamilies() []Family {
	encode := func(file string, id uint32) encoder {
		return listEncoder(file, invokeID{id: id, counts: true}.header(), clock{})
	}
	return withDefaults(Family{Make: "Sagemcom", Country: "CH", Connector: rj12, Line: "9600 8N1"}, xt211Frame.wrap, []Family{
		{Name: "sagemcom-ch", Title: "Sagemcom XT211, attribute descriptors without tags", encode: encode("sagemcom-ch", 0x80000000)},
		{Name: "sagemcom-cz", Title: "Sagemcom XT211 of EG.D, attribute descriptors without tags", encode: encode("sagemcom-cz", 0), Country: "CZ"},
	})
}
