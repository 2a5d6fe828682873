package simulate

import "strings"

// P1 meters of the Alps and further east.

// hungarian is Sagemcom's of E.ON: four tariffs, quadrants, a month's figures of several units in one line.
const hungarian = `
/SAG5SAG-METER

0-0:1.0.0({clock})
0-0:42.0.0(53414730303030303030303030303031)
0-0:96.1.0(383930303030303030303030303031)
0-0:96.14.0({tariff 4})
0-0:96.3.10(1)
0-0:17.0.0(90.000*kW)
` + fourTariffs + `1-0:3.8.0({6.3}*kvarh)
1-0:4.8.0({6.3}*kvarh)
` + quadrantEnergies + `1-0:15.8.0({6.3}*kWh)
` + threeVoltages + wholeAmperes + `1-0:13.7.0({1.3})
1-0:33.7.0({1.3})
1-0:53.7.0({1.3})
1-0:73.7.0({1.3})
1-0:14.7.0({2.2}*Hz)
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
1-0:5.7.0({2.3}*kvar)
1-0:6.7.0({2.3}*kvar)
1-0:7.7.0({2.3}*kvar)
1-0:8.7.0({2.3}*kvar)
1-0:31.4.0(200.00*A)
1-0:51.4.0(200.00*A)
1-0:71.4.0(200.00*A)
0-0:98.1.0(260101000000W)(000140.777*kWh)(000008.950*kWh)(000131.827*kWh)(000142.250*kWh)(000000.030*kvarh)(000073.988*kvarh)(000282.977*kWh)(03.564*kW)(02.156*kW)
0-0:96.13.0()
!`

const fourTariffs = `1-0:1.8.0({6.3}*kWh)
1-0:1.8.1({6.3}*kWh)
1-0:1.8.2({6.3}*kWh)
1-0:1.8.3({6.3}*kWh)
1-0:1.8.4({6.3}*kWh)
1-0:2.8.0({6.3}*kWh)
1-0:2.8.1({6.3}*kWh)
1-0:2.8.2({6.3}*kWh)
1-0:2.8.3({6.3}*kWh)
1-0:2.8.4({6.3}*kWh)
`

const quadrantEnergies = `1-0:5.8.0({6.3}*kvarh)
1-0:6.8.0({6.3}*kvarh)
1-0:7.8.0({6.3}*kvarh)
1-0:8.8.0({6.3}*kvarh)
`

// sanxing is the same of Sanxing: a breaker that says ON, and a text of bytes that are no characters, which were never
// written.
func sanxing() string {
	return strings.NewReplacer(
		"SAG5SAG-METER", "AUX50000000001",
		"53414730303030303030303030303031", "AUX1030300000001", "383930303030303030303030303031", "0000000001",
		"0-0:96.3.10(1)", "0-0:96.50.68(ON)", "0-0:96.13.0()", "0-0:96.13.0("+strings.Repeat("\xFF", 1024)+")",
	).Replace(hungarian)
}

// slashed has a second '/' in its name.
const slashed = `
/HLY5/D545-METER

1-3:0.2.8(50)
0-0:1.0.0({clock})
` + fourTariffs + `1-0:3.8.0({6.3}*kvarh)
1-0:4.8.0({6.3}*kvarh)
` + quadrantEnergies + `1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
` + threeVoltages + wholeAmperes + "!"

// lithuanian has averages of the last quarter of an hour.
const lithuanian = `
/ISK5\2M550T-3001

0-0:1.0.0({clock})
0-0:96.1.0(3130303030303031)
` + fourTariffs + `1-0:3.8.0({6.3}*kvarh)
1-0:4.8.0({6.3}*kvarh)
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
1-0:9.7.0({2.3}*kVA)
1-0:10.7.0({2.3}*kVA)
1-0:1.24.0({2.3}*kW)
1-0:2.24.0({2.3}*kW)
` + threeVoltages + wholeAmperes + groupedPowers + sagsAndSwells + "!"

// lithuanianEarly is what the first firmware of ESO's meters sends: no total of power, voltages in kV, currents in kA, and
// the frequency in kHz.
const lithuanianEarly = `
/ESO5\200000001_A

0-0:1.0.0({clock})
1-0:1.8.0({8.3}*kWh)
1-0:3.8.0({8.3}*kvarh)
1-0:4.8.0({8.3}*kvarh)
1-0:1.8.1({8.3}*kWh)
1-0:1.8.2({8.3}*kWh)
1-0:1.8.3({8.3}*kWh)
1-0:1.8.4({8.3}*kWh)
1-0:2.8.1({8.3}*kWh)
1-0:2.8.2({8.3}*kWh)
1-0:2.8.3({8.3}*kWh)
1-0:2.8.4({8.3}*kWh)
1-0:32.7.0({4.3}*kV)
1-0:31.7.0({4.3}*kA)
1-0:52.7.0({4.3}*kV)
1-0:51.7.0({4.3}*kA)
1-0:72.7.0({4.3}*kV)
1-0:71.7.0({4.3}*kA)
1-0:14.7.0({4.3}*kHz)
1-0:15.7.0({8.3}*kW)
1-0:21.7.0({8.3}*kW)
1-0:41.7.0({8.3}*kW)
1-0:61.7.0({8.3}*kW)
1-0:22.7.0({8.3}*kW)
1-0:42.7.0({8.3}*kW)
1-0:62.7.0({8.3}*kW)
!`

// luxembourgish is Smarty's: no tariffs, reactive and apparent power, relays, four channels (specification 1.1.3).
const luxembourgish = `
/Lux5\200000001_M

1-3:0.2.8(42)
0-0:1.0.0({clock})
0-0:42.0.0(53414730303030303030303030303031)
1-0:1.8.0({6.3}*kWh)
1-0:2.8.0({6.3}*kWh)
1-0:3.8.0({6.3}*kvarh)
1-0:4.8.0({6.3}*kvarh)
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
1-0:3.7.0({2.3}*kvar)
1-0:4.7.0({2.3}*kvar)
0-0:17.0.0(069.0*kVA)
1-0:9.7.0({2.3}*kVA)
1-0:10.7.0({2.3}*kVA)
1-1:31.4.0(100*A)(-063*A)
0-0:96.3.10(1)
0-1:96.3.10(0)
0-2:96.3.10(0)
0-0:96.7.21({failures 5})
` + sagsAndSwells + `0-0:96.13.0()
0-0:96.13.2()
0-0:96.13.3()
0-0:96.13.4()
0-0:96.13.5()
` + threeVoltages + wholeAmperes + groupedPowers + `1-0:23.7.0({2.3}*kvar)
1-0:43.7.0({2.3}*kvar)
1-0:63.7.0({2.3}*kvar)
1-0:24.7.0({2.3}*kvar)
1-0:44.7.0({2.3}*kvar)
1-0:64.7.0({2.3}*kvar)
0-1:24.1.0(003)
0-1:96.1.0(464C4F30303030303030303031)
0-1:24.2.1({five})({gas 5.3}*m3)
0-1:24.4.0(0)
0-2:24.1.0(007)
0-2:96.1.0()
0-2:24.2.1(632525252525S)(00000.000)
0-2:24.4.0(1)
!`

// styrian is of Energienetze Steiermark: whole Wh and W.
const styrian = `
/EST5\200000001_A

1-3:0.2.8(50)
0-0:1.0.0({clock})
1-0:1.8.0({9}*Wh)
1-0:1.8.1({9}*Wh)
1-0:1.8.2({9}*Wh)
1-0:1.7.0({9}*W)
1-0:2.8.0({9}*Wh)
1-0:2.8.1({9}*Wh)
1-0:2.8.2({9}*Wh)
1-0:2.7.0({9}*W)
1-0:3.8.0({9}*varh)
1-0:3.8.1({9}*varh)
1-0:3.8.2({9}*varh)
1-0:3.7.0({9}*var)
1-0:4.8.0({9}*varh)
1-0:4.8.1({9}*varh)
1-0:4.8.2({9}*varh)
1-0:4.7.0({9}*var)
!`

// polish is of Stoen: codes that come three times, state words.
const polish = `
/EGM5G35

0-0:1.0.0({clock})
` + fourTariffs + `1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
` + threeVoltages + `0-0:96.13.0()
0-0:96.1.0(3130303030303031)
0-0:17.0.0(16500)
0-0:17.0.0(16500)
0-0:17.0.0(16500)
0-0:94.98.31(00000)
0-0:94.98.32(00000)
0-0:94.98.33(3)
!`

// slovene has no checksum, and voltages of five digits.
const slovene = `
/ISK9\2M551T-200

0-0:96.1.0(10000001)
0-0:97.97.0(00000000)
1-0:0.9.1({time})
1-0:0.9.2({date})
1-0:1.8.0({6.3}*kWh)
1-0:1.8.1({6.3}*kWh)
1-0:1.8.2({6.3}*kWh)
1-0:2.8.0({6.3}*kWh)
1-0:2.8.1({6.3}*kWh)
1-0:2.8.2({6.3}*kWh)
1-0:1.7.0({2.3}*kW)
1-0:21.7.0({2.3}*kW)
1-0:41.7.0({2.3}*kW)
1-0:61.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
1-0:22.7.0({2.3}*kW)
1-0:42.7.0({2.3}*kW)
1-0:62.7.0({2.3}*kW)
1-0:32.7.0({5.1}*V)
1-0:52.7.0({5.1}*V)
1-0:72.7.0({5.1}*V)
` + wholeAmperes + "!"

// swissXT211 has energies and powers of medium 1-1.
const swissXT211 = `
/GRE5\200000001_A

0-0:1.0.0({clock})
0-0:0.0.0(100000000001)
1-1:1.8.1({6.3}*kWh)
1-1:1.8.2({6.3}*kWh)
1-1:2.8.1({6.3}*kWh)
1-1:2.8.2({6.3}*kWh)
0-0:96.14.0({tariff 4})
1-1:1.7.0({2.3}*kW)
1-1:2.7.0({2.3}*kW)
` + dutchFailures + sagsAndSwells + threeVoltages + `1-0:31.7.0({3.2}*A)
1-0:51.7.0({3.2}*A)
1-0:71.7.0({3.2}*A)
0-0:96.13.0()
0-0:96.1.4(10000)
0-0:96.1.2(20202020)
1-0:21.7.0({2.3}*kW)
1-0:22.7.0({2.3}*kW)
1-0:41.7.0({2.3}*kW)
1-0:42.7.0({2.3}*kW)
1-0:61.7.0({2.3}*kW)
1-0:62.7.0({2.3}*kW)
0-0:96.13.1()
1-1:1.6.0({peak})({2.3}*kW)
0-0:98.1.0(12)
1-0:1.4.0({2.3}*kW)
!`

// croatianP1 is the IE.5 of HEP.
const croatianP1 = `
/ISk5\2MIE5T-200

1-0:0.0.0(00000001)
0-0:96.1.0(10000001)
0-0:1.0.0({clock})
` + dutchTariffs + groupedPowers + threeVoltages + wholeAmperes + `0-0:96.3.10(1)
0-0:96.13.0()
0-1:96.1.1()
!`

// easymeter is a Q3D: group F, energies to 0.1 mWh, powers that are negative while they are exported, no checksum.
const easymeter = `
/ESY5Q3DB1024 V3.04

1-0:0.0.0*255(0200000000001)
1-0:1.8.0*255({5.7}*kWh)
1-0:2.8.0*255({5.7}*kWh)
1-0:21.7.0*255({-6.2}*W)
1-0:41.7.0*255({-6.2}*W)
1-0:61.7.0*255({-6.2}*W)
1-0:1.7.0*255({-6.2}*W)
1-0:96.5.5*255(80)
0-0:96.1.255*255(1ESY1000000001)
!`

func easternFamilies() []Family {
	return each(Family{Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-hu-sagemcom", title: "Hungarian P1, Sagemcom", make: "Sagemcom", country: "HU", wire: inCentralEurope(hungarian, upperSum)},
		row{name: "p1-hu-d545", title: "Hungarian P1, Holley D545", make: "Holley", country: "HU", wire: inCentralEurope(slashed, upperSum)},
		row{name: "p1-hu-sanxing", title: "Hungarian P1, Sanxing, text of bytes FF", make: "Sanxing", country: "HU", wire: inCentralEurope(sanxing(), upperSum)},
		row{name: "p1-lt", title: "Lithuanian P1", make: "Iskraemeco", country: "LT", wire: text{template: lithuanian, zone: finnish, sum: upperSum}.encoder()},
		row{name: "p1-lt-early", title: "Lithuanian P1 of ESO, Sagemcom, early firmware", make: "Sagemcom", country: "LT", wire: text{template: lithuanianEarly, zone: finnish, sum: upperSum}.encoder()},
		row{name: "p1-lu-plain", title: "Luxembourgish P1, Sagemcom, not encrypted", make: "Sagemcom", country: "LU", wire: inCentralEurope(luxembourgish, upperSum)},
		row{name: "p1-at-est5-plain", title: "Styrian P1, Sagemcom T210-D, not encrypted", make: "Sagemcom", country: "AT", wire: inCentralEurope(styrian, upperSum)},
		row{name: "p1-pl-plain", title: "Polish P1, Elgama, not encrypted", make: "Elgama", country: "PL", wire: inCentralEurope(polish, upperSum)},
		row{name: "p1-ch", title: "Swiss P1, Sagemcom XT211", make: "Sagemcom", country: "CH", wire: inCentralEurope(swissXT211, upperSum)},
		row{name: "p1-hr", title: "Croatian P1, Iskraemeco IE.5", make: "Iskraemeco", country: "HR", wire: inCentralEurope(croatianP1, upperSum)},
		row{name: "p1-si", title: "Slovene P1, Iskraemeco AM550", make: "Iskraemeco", country: "SI", wire: inCentralEurope(slovene, noSum), line: "115200 7E1"},
		row{name: "p1-de-easymeter", title: "German D0, EasyMeter Q3D", make: "EasyMeter", country: "DE", wire: inCentralEurope(easymeter, noSum), line: oldLine, connector: optical, every: 2000},
	)
}

func inCentralEurope(template string, sum checksum) encoder {
	return text{template: template, zone: centralEuropean, sum: sum}.encoder()
}
