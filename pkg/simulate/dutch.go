package simulate

// Netherlands: DSMR 2.2 to 5.0 (P1 Companion Standards 2.2, 4.2 and 5.0.2).

// Blocks of lines that telegrams share.
const (
	dutchTariffs = `1-0:1.8.1({6.3}*kWh)
1-0:1.8.2({6.3}*kWh)
1-0:2.8.1({6.3}*kWh)
1-0:2.8.2({6.3}*kWh)
0-0:96.14.0({tariff 4})
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
`
	oldTariffs = `1-0:1.8.1({5.3}*kWh)
1-0:1.8.2({5.3}*kWh)
1-0:2.8.1({5.3}*kWh)
1-0:2.8.2({5.3}*kWh)
0-0:96.14.0({tariff 4})
`
	dutchFailures = `0-0:96.7.21({failures 5})
0-0:96.7.9({long 5})
1-0:99.97.0(2)(0-0:96.7.19)(210411131500S)(0000000312*s)(191203040506W)(0000001987*s)
`
	sagsAndSwells = `1-0:32.32.0({5})
1-0:52.32.0({5})
1-0:72.32.0({5})
1-0:32.36.0({5})
1-0:52.36.0({5})
1-0:72.36.0({5})
`
	wholeAmperes = `1-0:31.7.0({3}*A)
1-0:51.7.0({3}*A)
1-0:71.7.0({3}*A)
`
	threeVoltages = `1-0:32.7.0({3.1}*V)
1-0:52.7.0({3.1}*V)
1-0:72.7.0({3.1}*V)
`
	groupedPowers = `1-0:21.7.0({2.3}*kW)
1-0:41.7.0({2.3}*kW)
1-0:61.7.0({2.3}*kW)
1-0:22.7.0({2.3}*kW)
1-0:42.7.0({2.3}*kW)
1-0:62.7.0({2.3}*kW)
`
	hourlyGas = `0-1:24.1.0(003)
0-1:96.1.0(4730303030303030303030303030303031)
0-1:24.2.1({hour})({hour gas 5.3}*m3)
`
)

const dutchNumber = "0-0:96.1.1(4530303030303030303030303030303031)\n"

// dsmr22 has values of 10 W, gas once an hour over two lines, and no checksum.
const dsmr22 = `
/ISk5\2MT382-1003

` + dutchNumber + oldTariffs + `1-0:1.7.0({4.2}*kW)
1-0:2.7.0({4.2}*kW)
0-0:17.0.0(0999.00*kW)
0-0:96.3.10(1)
0-0:96.13.1()
0-0:96.13.0()
0-1:24.1.0(3)
0-1:96.1.0(3030303030303030303030303031)
0-1:24.3.0({hour old})(00)(60)(1)(0-1:24.2.1)(m3)
({hour gas 5.3})
0-1:24.4.0(1)
!`

// kamstrup22 has no empty line behind its name.
const kamstrup22 = `
/KMP5 KA6U000000000001
` + dutchNumber + oldTariffs + `1-0:1.7.0({4.2}*kW)
1-0:2.7.0({4.2}*kW)
0-0:17.0.0(999*A)
0-0:96.3.10(1)
0-0:96.13.1()
0-0:96.13.0()
0-1:24.1.0(3)
0-1:96.1.0(3030303030303030303030303031)
0-1:24.3.0({hour old})(08)(60)(1)(0-1:24.2.1)(m3)
({hour gas 5.3})
0-1:24.4.0(1)
!`

// dsmr3 has the gas on one line.
const dsmr3 = `
/ISk5\2MT382-1000

` + dutchNumber + oldTariffs + `1-0:1.7.0({3.2}*kW)
1-0:2.7.0({3.2}*kW)
0-0:17.0.0(016*A)
0-0:96.3.10(1)
0-0:96.13.1(3035)
0-0:96.13.0(48616E6264696E67)
0-1:96.1.0(3030303030303030303030303031)
0-1:24.1.0(03)
0-1:24.3.0({hour old})(00)(60)(1)(0-1:24.2.1)(m3)({hour gas 5.3})
0-1:24.4.0(1)
!`

// dsmr4 is of Kaifa, Iskraemeco and Kamstrup; Landis+Gyr has another order and a valve.
const dsmr4 = "\n\n1-3:0.2.8(42)\n0-0:1.0.0({clock})\n" + dutchNumber + dutchTariffs + dutchFailures + sagsAndSwells +
	"0-0:96.13.1()\n0-0:96.13.0()\n" + wholeAmperes + groupedPowers + hourlyGas + "!"

const landisgyr4 = `
/XMX5LGBBFFB000000001

1-3:0.2.8(40)
0-0:1.0.0({clock})
` + dutchNumber + `1-0:1.8.1({6.3}*kWh)
1-0:2.8.1({6.3}*kWh)
1-0:1.8.2({6.3}*kWh)
1-0:2.8.2({6.3}*kWh)
0-0:96.14.0({tariff 4})
1-0:1.7.0({2.3}*kW)
1-0:2.7.0({2.3}*kW)
0-0:17.0.0(999.9*kW)
0-0:96.3.10(1)
0-0:96.7.21({failures 5})
0-0:96.7.9({long 5})
1-0:99.97.0(0)(0-0:96.7.19)
` + sagsAndSwells + "0-0:96.13.1()\n0-0:96.13.0()\n" + wholeAmperes + groupedPowers + hourlyGas + "0-1:24.4.0(1)\n!"

// dsmr5 has voltages, and reads gas each five minutes.
const dsmr5 = "\n\n1-3:0.2.8(50)\n0-0:1.0.0({clock})\n" + dutchNumber + dutchTariffs + dutchFailures + sagsAndSwells +
	"0-0:96.13.0()\n" + threeVoltages + wholeAmperes + groupedPowers

const gas5 = `0-1:24.1.0(003)
0-1:96.1.0(4730303030303030303030303030303031)
0-1:24.2.1({five})({gas 5.3}*m3)
!`

// threeChannels has a gas meter that was replaced, the new one, and water.
const threeChannels = `0-1:24.1.0(003)
0-1:96.1.0()
0-1:24.2.1(190326095000W)(01234.567*m3)
0-2:24.1.0(003)
0-2:96.1.0(4730303030303030303030303030303032)
0-2:24.2.1({five})({gas 5.3}*m3)
0-3:24.1.0(007)
0-3:96.1.0(5730303030303030303030303030303031)
0-3:24.2.1({five})({water 5.3}*m3)
!`

// warmtelink is of a heat meter alone, with a checksum in lower case.
const warmtelink = `
/ISk5\2MT382-1000

1-3:0.2.8(50)
0-0:1.1.0({clock})
0-1:24.1.0(012)
0-1:96.1.0(303030304B414D31)
0-1:24.2.1({clock})({heat 5.3}*GJ)
!`

func dutchFamilies() []Family {
	dutch := func(ident, template string, sum checksum) encoder {
		return text{template: ident + template, zone: centralEuropean, sum: sum}.encoder()
	}
	return each(Family{Country: "NL", Connector: rj12, Line: p1Line}, nil,
		row{name: "p1-nl-22", title: "Dutch P1, DSMR 2.2, Iskraemeco MT382", make: "Iskraemeco", wire: dutch("", dsmr22, noSum), line: oldLine},
		row{name: "p1-nl-22-kamstrup", title: "Dutch P1, DSMR 2.2, Kamstrup 162", make: "Kamstrup", wire: dutch("", kamstrup22, noSum), line: oldLine},
		row{name: "p1-nl-3", title: "Dutch P1, DSMR 3.0, Iskraemeco MT382", make: "Iskraemeco", wire: dutch("", dsmr3, noSum), line: oldLine},
		row{name: "p1-nl-4-kaifa", title: "Dutch P1, DSMR 4.2, Kaifa", make: "Kaifa", wire: dutch("/KFM5KAIFA-METER", dsmr4, upperSum)},
		row{name: "p1-nl-4-landisgyr", title: "Dutch P1, DSMR 4.0, Landis+Gyr E350", make: "Landis+Gyr", wire: dutch("", landisgyr4, upperSum)},
		row{name: "p1-nl-4-iskra", title: "Dutch P1, DSMR 4.2, Iskraemeco MT382", make: "Iskraemeco", wire: dutch(`/ISK5\2ME382-1003`, dsmr4, upperSum)},
		row{name: "p1-nl-4-kamstrup", title: "Dutch P1, DSMR 4.2, Kamstrup 162", make: "Kamstrup", wire: dutch("/KMP5 KA6U000000000001", dsmr4, upperSum)},
		row{name: "p1-nl-5", title: "Dutch P1, DSMR 5.0, Sagemcom, gas replaced, water", make: "Sagemcom", wire: dutch(`/Ene5\T210-D ESMR5.0`, dsmr5+threeChannels, upperSum), every: 1000},
		row{name: "p1-nl-5-iskra", title: "Dutch P1, DSMR 5.0, Iskraemeco AM550, gas", make: "Iskraemeco", wire: dutch(`/ISK5\2M550T-1012`, dsmr5+gas5, upperSum), every: 1000},
		row{name: "p1-nl-heat", title: "Dutch P1, WarmteLink, heat alone", make: "Iskraemeco", wire: dutch("", warmtelink, lowerSum)},
	)
}
