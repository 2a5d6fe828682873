package simulate

import (
	"strings"
)

// Telegrams of the Swedish branch recommendation 2.0, annex 3. Makes differ in what they call themselves, the order of
// lines, the spelling of units, and the sign of currents.

// An order is that of the powers of the phases: groups C in the places of L1, L2 and L3.
type order [2][6]string

var (
	// interleaved: import and export of L1, then of L2 (Aidon, Kaifa, Landis+Gyr).
	interleaved = order{{"21", "22", "41", "42", "61", "62"}, {"23", "24", "43", "44", "63", "64"}}
	// grouped: import of all phases, then export (Kamstrup, Sagemcom).
	grouped = order{{"21", "41", "61", "22", "42", "62"}, {"23", "43", "63", "24", "44", "64"}}
)

// An annex is a telegram of annex 3.
type annex struct {
	ident  string
	phases int // 0 is three
	order  order
	// prefix is "k" in all but the meters behind transformers; reactive is "var" or "VAr".
	prefix, reactive string
	// energy is the layout of counters, current that of currents.
	energy, current string
	// clock is the name of the clock's form, ratios the lines about transformers.
	clock, ratios string
}

var usual = annex{phases: 3, order: interleaved, prefix: "k", reactive: "VAr", energy: "8.3", current: "3.1", clock: "clock"}

// of returns the telegram of a meter with this name.
func (a annex) of(ident string) annex {
	a.ident = ident
	return a
}

// onePhase returns the telegram without the lines of L2 and L3.
func (a annex) onePhase() annex {
	a.phases = 1
	return a
}

// template is the text of the telegram, with the digits of annex 3: 8.3 for energies, 4.3 for powers, 3.1 for voltages and
// currents.
func (a annex) template() string {
	var b strings.Builder
	line := func(c, d, digits, unit string) {
		b.WriteString("1-0:" + c + "." + d + ".0({" + digits + "}*" + unit + ")\n")
	}
	unit := func(i int, hours string) string {
		if i < 2 {
			return a.prefix + "W" + hours
		}
		return a.prefix + a.reactive + hours
	}
	b.WriteString("/" + a.ident + "\n\n0-0:1.0.0({" + a.clock + "})\n")
	for _, d := range []string{"8", "7"} {
		digits, hours := a.energy, "h"
		if d == "7" {
			digits, hours = "4.3", ""
		}
		for i, c := range []string{"1", "2", "3", "4"} {
			line(c, d, digits, unit(i, hours))
		}
	}
	for half, groups := range a.order {
		for _, c := range groups {
			if int(c[0]-'0')/2 <= a.phases {
				line(c, "7", "4.3", unit(2*half, ""))
			}
		}
	}
	for i := range a.phases {
		line([]string{"32", "52", "72"}[i], "7", "3.1", "V")
	}
	for i := range a.phases {
		line([]string{"31", "51", "71"}[i], "7", a.current, "A")
	}
	return b.String() + a.ratios + "!"
}

func swedishP1Families() []Family {
	kamstrup, sagemcom, finnishAidon, transformers := usual, usual, usual, usual
	kamstrup.order = grouped
	sagemcom.order, sagemcom.reactive = grouped, "var"
	finnishAidon.current = "-3.1"
	transformers.prefix, transformers.ratios = "", "1-0:0.4.2(20)\n1-0:0.4.3(001.00)\n"
	in := func(z zone, a annex) encoder {
		return text{template: a.template(), zone: z, sum: upperSum}.encoder()
	}
	behind := text{template: transformers.of("ADN9 6560").template(), zone: swedishNormal, sum: upperSum, ratio: 20}
	return each(Family{Country: "SE", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-se-aidon", title: "Swedish P1, Aidon 6534", make: "Aidon", wire: in(swedishNormal, usual.of("ADN9 6534"))},
		row{name: "p1-se-aidon-1p", title: "Swedish P1, Aidon 6515, one phase", make: "Aidon", phases: 1, wire: in(swedishNormal, usual.of("ADN9 6515").onePhase())},
		row{name: "p1-se-aidon-6560", title: "Swedish P1, Aidon 6560, behind current transformers", make: "Aidon", ratio: 20, wire: behind.encoder()},
		row{name: "p1-se-kamstrup", title: "Swedish P1, Kamstrup OMNIPOWER", make: "Kamstrup", wire: in(centralEuropean, kamstrup.of("KAM5"))},
		row{name: "p1-se-kaifa", title: "Swedish P1, Kaifa MA304H4E", make: "Kaifa", wire: in(swedishNormal, usual.of("KFM5KAIFA-METER"))},
		row{name: "p1-se-landisgyr", title: "Swedish P1, Landis+Gyr E360", make: "Landis+Gyr", wire: in(swedishNormal, usual.of("LGF5E360"))},
		row{name: "p1-se-sagemcom", title: "Swedish P1, Sagemcom of Ellevio", make: "Sagemcom", wire: in(swedishNormal, sagemcom.of(`ELL5\200000001_A`))},
		row{name: "p1-fi-aidon", title: "Finnish P1, Aidon 7534", make: "Aidon", country: "FI", wire: in(finnish, finnishAidon.of("ADN9 7534"))},
	)
}

// nordicP1Families are those that follow annex 3 with some difference, or hardly at all.
func nordicP1Families() []Family {
	nes := usual.of("NES5:00001-3E")
	nes.clock, nes.energy = "long clock", "5.3"
	in := func(z zone, template string) encoder {
		return text{template: template, zone: z, sum: upperSum}.encoder()
	}
	return each(Family{Country: "DK", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-fi-landisgyr", title: "Finnish P1, Landis+Gyr E360", make: "Landis+Gyr", country: "FI", wire: in(finnish, usual.of("LGF5E360").template())},
		row{name: "p1-dk-landisgyr", title: "Danish P1, Landis+Gyr E360", make: "Landis+Gyr", wire: in(swedishNormal, usual.of("LGF5E360").template())},
		row{name: "p1-dk-nes", title: "Danish P1, NES", make: "NES", line: "115200 8E1", wire: in(centralEuropean, nes.template())},
		row{name: "p1-se-iskra", title: "Swedish P1 of E.ON, Iskraemeco AM550", make: "Iskraemeco", country: "SE", wire: in(swedishNormal, swedishIskra)},
	)
}

// swedishIskra is not of the recommendation: a clock in two parts, states in parentheses of their own.
const swedishIskra = `
/ISk5\2M550T-2006

1-0:0.9.1({time})
1-0:0.9.2({date})
0-0:96.1.0(10000001)
0-2:25.6.0(ER23)
0-0:25.1.0(ER23)
1-0:1.8.0({6.3}*kWh)
1-0:2.8.0({6.3}*kWh)
1-0:3.8.0({6.3}*kvarh)
1-0:4.8.0({6.3}*kvarh)
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
1-0:21.7.0({2.3}*kW)
1-0:22.7.0({2.3}*kW)
1-0:41.7.0({2.3}*kW)
1-0:42.7.0({2.3}*kW)
1-0:61.7.0({2.3}*kW)
1-0:62.7.0({2.3}*kW)
1-0:31.7.0({3}*A)
1-0:32.7.0({3.1}*V)
1-0:51.7.0({3}*A)
1-0:52.7.0({3.1}*V)
1-0:71.7.0({3}*A)
1-0:72.7.0({3.1}*V)
1-0:0.2.0((ER11))
!`
