package simulate

// Belgium (e-MUCS P1 2.1.1): demand and the peaks of months, currents in 0.01 A, gas that is not corrected for its
// temperature.

const fluviusHead = `
/FLU5\200000001_A

0-0:96.1.4(50217)
0-0:96.1.1(3153414730303030303030303031)
0-0:1.0.0({clock})
` + dutchEnergies + `0-0:96.14.0({tariff 4})
1-0:1.4.0({2.3}*kW)
1-0:1.6.0({peak})({2.3}*kW)
0-0:98.1.0({months})
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
`

const dutchEnergies = `1-0:1.8.1({6.3}*kWh)
1-0:1.8.2({6.3}*kWh)
1-0:2.8.1({6.3}*kWh)
1-0:2.8.2({6.3}*kWh)
`

const fluviusTail = `0-0:96.3.10(1)
0-0:17.0.0(999.9*kW)
1-0:31.4.0(999*A)
0-0:96.13.0()
0-1:24.1.0(003)
0-1:96.1.1(37464C4F30303030303030303031)
0-1:24.4.0(1)
0-1:24.2.3({five})({gas 5.3}*m3)
`

const fluviusWater = `0-2:24.1.0(007)
0-2:96.1.1(3853455430303030303030303031)
0-2:24.2.1({five})({water 5.3}*m3)
`

const fluvius = fluviusHead + groupedPowers + threeVoltages + `1-0:31.7.0({3.2}*A)
1-0:51.7.0({3.2}*A)
1-0:71.7.0({3.2}*A)
` + fluviusTail + fluviusWater + "!"

const fluviusOne = fluviusHead + `1-0:21.7.0({2.3}*kW)
1-0:22.7.0({2.3}*kW)
1-0:32.7.0({3.1}*V)
1-0:31.7.0({3.2}*A)
` + fluviusTail + "!"

func belgianFamilies() []Family {
	belgian := func(template string) encoder {
		return text{template: template, zone: centralEuropean, sum: upperSum, dayFirst: true}.encoder()
	}
	return each(Family{Make: "Sagemcom", Country: "BE", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-be", title: "Belgian P1, Fluvius, gas and water", wire: belgian(fluvius), every: 1000},
		row{name: "p1-be-1p", title: "Belgian P1, Fluvius, gas, one phase", wire: belgian(fluviusOne), every: 1000, phases: 1},
	)
}
