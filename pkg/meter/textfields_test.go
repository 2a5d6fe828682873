package meter_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// wanted has values of a reading. The keys are names of quantities, "clock" and "serial". Numbers have the decimals with which they are published.
type wanted map[string]string

// absent is the value of a key that the reading must not have.
const absent = "absent"

// unusualTexts are ASCII telegrams of unusual forms.
var unusualTexts = []struct {
	name string
	// file is the name of a file in testdata/field that contains the telegram.
	file string
	// lines are the data lines of the telegram if file is "". The test adds an identification line and the line of the '!'. It adds a checksum
	// unless noChecksum is true.
	lines      string
	noChecksum bool
	// wantError is a part of the error. It is "" if the telegram must be read.
	wantError string
	want      wanted
}{
	{name: "season letter in lower case, in the time of a gas value", file: "season-lower.txt", want: wanted{"gas": "1702.118", "import_power": "413"}},
	{name: "season letter in lower case, in the clock", lines: "0-0:1.0.0(240711180000s)\n1-0:1.7.0(1*kW)", want: wanted{"clock": "2024-07-11T18:00:00+02:00"}},
	{name: "season letter in lower case, in the time of a peak demand", lines: "1-0:1.6.0(240111180000w)(03.5*kW)", want: wanted{"month_peak_demand": "3500"}},

	{name: "two numbers of a limit of current: the first is used", file: "two-limits.txt", want: wanted{"fuse_limit": "63", "import_power": "731"}},
	{name: "two numbers of a limit of power: the first is used", lines: "0-0:17.0.0(011.0*kW)(-005.0*kW)", want: wanted{"power_limit": "11000"}},
	{name: "three numbers of an energy: the first is used", lines: "1-0:1.8.0(000321.000*kWh)(000300.000*kWh)(000200.000*kWh)", want: wanted{"import_energy": "321.000"}},

	{name: "checksum of three digits, without its leading zero", file: "checksum-3-digits.txt", want: wanted{"thermal_energy": "41.008"}},
	{name: "checksum of one digit, without its leading zeros", file: "checksum-1-digit.txt", want: wanted{"thermal_energy": "0.046"}},

	{name: "m³ in Latin-1", file: "unit-latin1.txt", want: wanted{"gas": "2345.678", "import_power": "512"}},
	{name: "m³ in UTF-8", file: "unit-utf8.txt", want: wanted{"gas": "2345.678", "import_power": "512"}},
	{name: "text in Latin-1", file: "text-latin1.txt", want: wanted{"text_message": "Avläsning på måndag", "import_power": "512"}},
	{name: "text that is padded with bytes FF", file: "text-filled.txt", want: wanted{"text_message": "NOTICE", "import_power": "512"}},
	{name: "text in UTF-8", lines: "0-0:96.13.0(Avläsning)\n1-0:1.7.0(1*kW)", want: wanted{"text_message": "Avläsning", "import_power": "1000"}},
	{name: "bytes above 7F with a code that is no quantity", lines: "0-0:96.1.9(\xB0\x80\xFE)\n1-0:1.7.0(1*kW)", want: wanted{"import_power": "1000"}},
	{name: "text that is padded with zero bytes", lines: "0-0:96.13.0(END\x00\x00\x00\x00)\n1-0:1.7.0(1*kW)", want: wanted{"text_message": "END", "import_power": "1000"}},
	{name: "zero byte within a text", lines: "0-0:96.13.0(M\x00x)\n1-0:1.7.0(1*kW)", want: wanted{"import_power": "1000"}},
	{name: "zero bytes in a serial number", lines: "1-0:1.7.0(1*kW)\n0-0:96.1.0(\x00\x01\x00\xFF\x00)\n1-0:2.7.0(2*kW)", want: wanted{"import_power": "1000", "export_power": "2000"}},
	{name: "zero byte within a text, no checksum", lines: "0-0:96.13.0(M\x00x)\n1-0:1.7.0(1*kW)", noChecksum: true, wantError: "line 3"},
	{name: "m³ in Latin-1, no checksum", lines: "0-1:24.1.0(003)\n0-1:24.2.1(220101120000)(00012.345*m\xB3)", noChecksum: true, want: wanted{"gas": "12.345"}},
	{name: "byte above 7F in a serial number, no checksum", lines: "1-0:1.7.0(1*kW)\n0-0:96.1.0(12\xE434)", noChecksum: true, wantError: "line 4"},

	{name: "spaces after units and lines, and units in other case", file: "blanks.txt", want: wanted{
		"import_energy": "4711.250", "absolute_energy": "9876.543", "import_power": "640", "import_reactive_power": "30", "frequency": "49.97",
	}},
	{name: "spaces before and after each part of a line", lines: "1-0:1.8.0( 00012.500 * kWh )\t\n 1-0:1.7.0 (0.5*kw)\n0-0:1.0.0( 240111180000W)", want: wanted{
		"import_energy": "12.500", "import_power": "500", "clock": "2024-01-11T18:00:00+01:00",
	}},
	{name: "spaces in parentheses, no checksum", lines: "1-0:1.8.0( 00012.500 * kWh )\t\n1-0:32.32.0( 00003 )", noChecksum: true, want: wanted{"import_energy": "12.500", "voltage_sags_l1": "3"}},
	{name: "spaces and tabs between parentheses", lines: "1-0:1.6.0(240111180000W) (03.5*kW)\n1-0:31.4.0(100*A)\t(-063*A)", noChecksum: true, want: wanted{
		"month_peak_demand": "3500", "fuse_limit": "100",
	}},
	{name: "spaces between parentheses of a text", lines: "0-0:96.13.0(a (b) (c) d)\n1-0:1.7.0(1*kW)", want: wanted{"text_message": "a (b) (c) d", "import_power": "1000"}},
	{name: "spaces in parentheses of a tariff and a gas meter", lines: "0-0:96.14.0( 0002 )\n0-1:24.1.0( 003 )\n0-1:24.2.1( 240111180000W )( 00012.5 * m3 )", want: wanted{"tariff": "0002", "gas": "12.500"}},
	{name: "spaces in parentheses of a time and a date", lines: "0.9.1( 12:13:14)\n0.9.2(25-05-13 )\n1.8.0(3*kWh)", noChecksum: true, want: wanted{"clock": "2025-05-13T12:13:14"}},
	{name: "spaces and an empty line in a value of two lines", lines: "0-1:24.1.0(03)\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)( m3 )\n\n ( 00908.123 ) ", want: wanted{"gas": "908.123"}},
	{name: "m³ in Latin-1 in a value of two lines, no checksum", lines: "0-1:24.1.0(03)\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m\xB3)\n(00908.123)\n1-0:1.7.0(1*kW)", noChecksum: true, want: wanted{"gas": "908.123"}},

	{name: "block of history: its values are not used", file: "month-block.txt", want: wanted{
		"clock": "2025-06-07T08:15:00+02:00", "serial": "4150503132333435", "import_energy": "20111.222", "import_power": "345",
		"month_peak_demand": absent, "export_reactive_energy": absent,
	}},
	{name: "block of history, no checksum", file: "month-block-no-checksum.txt", want: wanted{
		"clock": absent, "import_energy": "20111.222", "import_power": "345", "month_peak_demand": absent,
	}},
	{name: "block of history whose \"(\" is on the line of its code", lines: "1-0:99.1.0(\n1-0:1.8.0(1*kWh)\n)\n1-0:1.8.0(2*kWh)", want: wanted{"import_energy": "2.000"}},
	{name: "block of history whose \")\" is on the line of its last value", lines: "0-0:98.1.0(3)(\n1-0:1.8.0(1*kWh)\n0-0:1.0.0(240101000000W))\n1-0:1.8.0(2*kWh)", want: wanted{"import_energy": "2.000", "clock": absent}},
	{name: "block of history with a text that contains \")\"", lines: "0-0:98.1.0\n(\n0-0:96.13.0(:))\n1-0:1.6.0(1*kW)\n)\n1-0:1.8.0(2*kWh)", noChecksum: true, want: wanted{"import_energy": "2.000", "month_peak_demand": absent}},
	{name: "block of history without \")\"", lines: "1-0:1.8.0(2*kWh)\n0-0:98.1.0\n(\n1-0:1.6.0(1*kW)", want: wanted{"import_energy": "2.000", "month_peak_demand": absent}},
	{name: "block of history without \")\", no checksum", lines: "1-0:1.8.0(2*kWh)\n0-0:98.1.0\n(\n1-0:1.6.0(1*kW)", noChecksum: true, wantError: "line 4"},
	{name: "block of history with empty lines", lines: "0-0:98.1.0\n\n(\n\n1-0:2.8.0(1*kWh)\n\n)\n1-0:1.8.0(2*kWh)", noChecksum: true, want: wanted{"import_energy": "2.000", "export_energy": absent}},
	{name: "block of history whose \"(\" is followed by a time", lines: "0-0:94.91.10(240101000000S\n1-0:2.8.0(1*kWh)\n)\n1-0:1.8.0(2*kWh)", want: wanted{"import_energy": "2.000", "export_energy": absent}},
	{name: "clock of the meter, clock of a past period, clock of a sub-meter", lines: "0-0:1.0.0(240711180000S)\n0-0:1.0.0*1(240701000000S)\n0-1:1.0.0(200101000000W)", want: wanted{"clock": "2024-07-11T18:00:00+02:00"}},
	{name: "time and date of the meter, then of a past period", lines: "0.9.1(12:13:14)\n0.9.2(25-05-13)\n0.9.1*1(01:02:03)\n0.9.2*1(25-04-30)\n1.8.0(3*kWh)", noChecksum: true, want: wanted{"clock": "2025-05-13T12:13:14"}},

	{name: "tariffs 11 to 13 without a total: their sum is the total", file: "tariffs-11-13.txt", want: wanted{
		"import_energy": "123.875", "export_energy": "6.000", "tariff": "12", "import_power": "1234",
	}},
	{name: "tariffs 5 and 6 without a total: their sum is the total", file: "tariffs-5-6.txt", want: wanted{"import_energy": "33.750"}},
	{name: "tariffs 11 and 12 and a total", lines: "1-0:1.8.11(1*kWh)\n1-0:1.8.12(2*kWh)\n1-0:1.8.0(7*kWh)", want: wanted{"import_energy": "7.000"}},
	{name: "tariffs 1 and 11: no total", lines: "1-0:1.8.1(1*kWh)\n1-0:1.8.11(1*kWh)", want: wanted{"import_energy": absent, "import_energy_t1": "1.000"}},
	{name: "tariffs 5 and 11: no total", lines: "1-0:1.8.5(1*kWh)\n1-0:1.8.11(1*kWh)", want: wanted{"import_energy": absent}},
	{name: "tariffs 20 and 21: no total", lines: "1-0:2.8.20(1*kWh)\n1-0:2.8.21(1*kWh)", want: wanted{"export_energy": absent}},
	{name: "tariffs 11 and 12 of reactive energy without a total", lines: "1-0:3.8.11(1*kvarh)\n1-0:3.8.12(2*kvarh)", want: wanted{"import_reactive_energy": "3.000"}},
	{name: "tariffs 11 and 12, one without a number: no total", lines: "1-0:1.8.11(1*kWh)\n1-0:1.8.12(---)", want: wanted{"import_energy": absent}},
	{name: "two codes of the tariff indicator", lines: "0-0:96.14.1(03)\n0-0:96.14.0(0002)", want: wanted{"tariff": "0002"}},

	{name: "group E 255 for powers", file: "total-255.txt", want: wanted{
		"import_energy": "12345.679", "import_power": "667", "import_power_l1": "111", "import_power_l2": "222", "import_power_l3": "333",
	}},
	{name: "group E 255 for energy and net power", lines: "1-0:2.8.255(5*kWh)\n1-0:16.7.255*255(-7*W)", want: wanted{"export_energy": "5.000", "net_power": "-7"}},
	{name: "group E 255 and group E 0: group E 0 is used", lines: "1-0:1.7.255(5*W)\n1-0:1.7.0(6*W)", want: wanted{"import_power": "6"}},

	{name: "energies without a unit, other values with a unit", file: "energy-without-unit.txt", want: wanted{
		"import_energy_t1": "321.988", "export_energy_t1": "12.346", "voltage_l1": "231.4", "import_power_l1": "512",
	}},
	{name: "energies, power and voltage without a unit: only the energies are used", lines: "1.8.0(000123)\n3.8.0(000045.5)\n1.7.0(0.345)\n32.7.0(230)", noChecksum: true, want: wanted{
		"import_energy": "123.000", "import_reactive_energy": "45.500", "import_power": absent, "voltage_l1": absent,
	}},
	{name: "energies of tariffs 11 and 12 without a unit", lines: "1-0:1.8.11(1.5)\n1-0:1.8.12(2.5)", want: wanted{"import_energy": "4.000"}},
	{name: "energy with a unit, energy without a unit", lines: "1-0:1.8.0(1.5*kWh)\n1-0:2.8.0(2.5)", want: wanted{"import_energy": "1.500", "export_energy": absent}},

	{name: "labels instead of codes, no checksum", file: "no-code.txt", want: wanted{"import_energy": "4321.000", "import_power": "789"}},
	{name: "labels instead of codes", file: "no-code-checksum.txt", want: wanted{"import_energy": "9876.543", "import_power": "210"}},
	{name: "labels with several values and two lines", lines: "L.1*126(5)\nP.01(260101)(15)(1)(1.8.0)(kWh)\n(0.123)\n1-0:1.8.0(3*kWh)", noChecksum: true, want: wanted{"import_energy": "3.000"}},
	{name: "code without group B", lines: "0:96.1.0(77)\n1-0:1.8.0*255(3*kWh)", noChecksum: true, want: wanted{"import_energy": "3.000"}},
	{name: "malformed code", lines: "1-0:1.8.0(3*kWh)\n1-0:2:8.0(4*kWh)", noChecksum: true, wantError: "line 4"},

	{name: "codes without groups A and B", file: "short-codes.txt", want: wanted{
		"clock": "2025-02-03T08:09:10", "serial": "41000001", "import_energy": "1111.222", "export_energy": "333.444", "net_power": "-456", "month_peak_demand": "3210",
	}},
	{name: "codes without groups A and B: past period, code without group E", lines: "2.8.0*01(9*kWh)\n2.8.0(7*kWh)\n14.7(50.01*Hz)", noChecksum: true, want: wanted{"export_energy": "7.000", "frequency": "50.01"}},
	{name: "codes without groups A and B, with a checksum", lines: "1.8.1(1*kWh)\n1.8.2(2*kWh)\n0.9.1(121314)\n0.9.2(260102)", want: wanted{"import_energy": "3.000", "clock": "2026-01-02T12:13:14"}},

	{name: "letter in an energy, no checksum", file: "number-malformed.txt", wantError: "line 3"},
	{name: "letter in an energy without a unit, no checksum", lines: "1-0:1.7.0(1*kW)\n1-0:1.8.0(0001O.5)", noChecksum: true, wantError: "no digits"},
	{name: "letter in a count, no checksum", lines: "1-0:1.7.0(1*kW)\n0-0:96.7.21(0000A)", noChecksum: true, wantError: "no digits"},
	{name: "letter in a value of a malformed code, no checksum", lines: "1-0:1.7.0(1*kW)\n1.8.0&01(0000I200.0*kWh)", noChecksum: true, wantError: "line 4"},
	{name: "decimal comma in the second value of a label, no checksum", lines: "1-0:1.7.0(1*kW)\nC.2(1*kWh)(2,5*kWh)", noChecksum: true, wantError: "line 4"},
	{name: "minus within a number, no checksum", lines: "1-0:1.7.0(1*kW)\n1-0:32.7.0(2-30.1*V)", noChecksum: true, wantError: "line 4"},
	{name: "dashes, nothing and an error code instead of numbers", lines: "1-0:1.7.0(1*kW)\n1-0:32.7.0(---*V)\n1-0:31.7.0()\n1-0:1.8.0(ER11)", noChecksum: true, want: wanted{"import_power": "1000", "voltage_l1": absent}},
	{name: "unknown units", lines: "1-0:1.7.0(1*kW)\n1-0:1.8.0(1.5*GWh)\n1-0:2.8.0( 2.5 * k.W.h )", noChecksum: true, want: wanted{"import_power": "1000", "import_energy": absent, "export_energy": absent}},
	{name: "unknown unit of a tariff: no total", lines: "1-0:1.8.1(3*kWh)\n1-0:1.8.2(1.5*GWh)", noChecksum: true, want: wanted{"import_energy_t1": "3.000", "import_energy": absent}},
	{name: "letter in a number with an unknown unit, no checksum", lines: "1-0:1.7.0(1*kW)\n1-0:1.8.0(1.O5*GWh)", noChecksum: true, wantError: "no digits"},
	{name: "letter in an energy, right checksum", lines: "1-0:1.8.1(0A1.784*kWh)\n1-0:1.7.0(1*kW)", want: wanted{"import_energy_t1": absent, "import_power": "1000"}},

	{name: "31.4.0 has mean currents, because the meter is Lithuanian (ESO)", file: "mean-currents.txt", want: wanted{"fuse_limit": absent, "current_l1": "6", "import_energy": "1234.567"}},
	{name: "31.4.0 has a mean current, because a mean power 1.24.0 is sent", lines: "1-0:1.24.0(00.500*kW)\n1-0:31.4.0(003*A)", want: wanted{"fuse_limit": absent, "import_demand": "500"}},
	{name: "31.4.0 has mean currents, because the phases differ", lines: "1-0:31.4.0(0.003*kA)\n1-0:51.4.0(0.002*kA)", want: wanted{"fuse_limit": absent}},
	{name: "31.4.0 has limits of import and export", lines: "1-0:31.4.0(100*A)(-063*A)\n1-0:51.4.0(100*A)(-063*A)", want: wanted{"fuse_limit": "100"}},
	{name: "31.4.0 has only a limit of export", lines: "1-0:31.4.0(-063*A)", want: wanted{"fuse_limit": absent}},
	{name: "31.4.0 is 0 in all phases: no limit", lines: "1-0:31.4.0(0.000*kA)\n1-0:51.4.0(0.000*kA)\n1-0:71.4.0(0.000*kA)", want: wanted{"fuse_limit": absent}},
	{name: "31.4.0 has a limit, because all phases are equal", lines: "1-0:31.4.0(20.00*A)\n1-0:51.4.0(20.00*A)\n1-0:71.4.0(20.00*A)", want: wanted{"fuse_limit": "20.00"}},
	{name: "31.4.0 has a limit, although a mean power 1.4.0 is sent", lines: "1-0:31.4.0(100*A)\n1-0:1.4.0(00.500*kW)", want: wanted{"fuse_limit": "100", "import_demand": "500"}},

	{name: "heat in Wh on 24.2.5", file: "heat-wh.txt", want: wanted{"thermal_energy": "54.321", "gas": absent, "water": absent}},
	{name: "heat in MWh on 24.2.5", file: "heat-mwh.txt", want: wanted{"thermal_energy": "12345.000"}},
	{name: "cooling on 24.2.5", lines: "0-1:24.1.0(010)\n0-1:24.2.5(240111180000W)(001.500*GJ)", want: wanted{"cooling_energy": "1.500"}},
	{name: "24.2.5 of a gas meter is not heat", lines: "0-1:24.1.0(003)\n0-1:24.2.1(1*m3)\n0-1:24.2.5(5*kWh)", want: wanted{"thermal_energy": absent, "gas": "1.000"}},

	{name: "24.2.1 and 24.2.5 of a sub-meter whose type is not sent", lines: "0-1:24.2.1(260609120000)(1234.567*m3)\n0-1:24.2.5(260609120000)(0123456*Wh)", want: wanted{"thermal_energy": absent, "gas": absent}},
	{name: "24.2.1 and 24.2.5 of two sub-meters whose types are not sent", lines: "0-1:24.2.1(260609120000)(1234.567*m3)\n0-2:24.2.5(260609120000)(0123456*Wh)", want: wanted{"gas": "1234.567"}},

	{name: "block of history that begins and ends on lines of values", lines: "0-0:94.91.1(1-0:1.8.0(9*kWh)\n1-0:2.8.0(8*kWh)\n1-0:3.8.0(7*kvarh))\n1-0:1.7.0(1*kW)", want: wanted{
		"import_energy": absent, "export_energy": absent, "import_reactive_energy": absent, "import_power": "1000",
	}},
	{name: "block of history that begins and ends on lines of values, short codes", lines: "0-0:94.91.1(1.8.0(9*kWh)\n2.8.0(8*kWh))\n1-0:1.7.0(1*kW)", noChecksum: true, want: wanted{
		"import_energy": absent, "export_energy": absent, "import_power": "1000",
	}},
	{name: "block of history that begins and ends on lines of values, code on its own line", lines: "0-0:94.91.1\n(1-0:1.8.0(9*kWh)\n1-0:2.8.0(8*kWh))\n1-0:1.7.0(1*kW)", want: wanted{
		"import_energy": absent, "export_energy": absent, "import_power": "1000",
	}},

	{name: "clock and tariff as hexadecimal octets", file: "clock-octets.txt", want: wanted{"clock": "2025-12-31T23:59:58+01:00", "tariff": "T2", "import_energy": "100.000"}},
	{name: "clock as hexadecimal octets, UTC offset not specified", lines: "0-0:1.0.0(07e60601030c0000ff800000)\n1-0:1.7.0(1*kW)", want: wanted{"clock": "2022-06-01T12:00:00"}},
	{name: "clock as hexadecimal octets, clock status FF", lines: "0-0:1.0.0(07E60601030C0000FF8000FF)\n0-0:96.14.0(0002)", noChecksum: true, want: wanted{"tariff": "0002"}},
	{name: "tariff and breaker in hexadecimal", lines: "0-0:96.14.0(4E54)\n0-0:96.3.10(4F4E)", want: wanted{"tariff": "NT", "breaker": "ON"}},

	{name: "stream that ends with the '!' of the telegram", file: "ends-at-mark.txt", want: wanted{"import_energy_t1": "321.000", "gas": "777.888", "import_power": "1230"}},
	{name: "stream that ends with the '!' of the telegram, lines end with LF", file: "line-feeds.txt", want: wanted{"import_energy_t1": "321.000", "gas": "777.888", "import_power": "1230"}},
	{name: "checksum of CR LF, but lines end with LF", file: "line-ends-changed.txt", wantError: "line ends were changed on the way"},

	{name: "text of two lines", lines: "0-0:96.13.0(first\nsecond)\n1-0:1.7.0(1*kW)", want: wanted{"text_message": "first\r\nsecond", "import_power": "1000"}},
	{name: "hexadecimal text of two lines", lines: "0-0:96.13.0(48656C\n6C6F)\n1-0:1.7.0(1*kW)", noChecksum: true, want: wanted{"text_message": "Hello", "import_power": "1000"}},
	{name: "text on the line after its code", lines: "0-0:96.13.0\n(Hello)\n1-0:1.7.0(1*kW)", want: wanted{"text_message": "Hello", "import_power": "1000"}},
}

// TestUnusualTexts tests that each telegram of unusualTexts gives its values or its error. The stream consists of this telegram only. If the
// telegram ends with a line end, it is also tested between two ordinary telegrams.
func TestUnusualTexts(t *testing.T) {
	for _, tt := range unusualTexts {
		telegram := strings.ReplaceAll("/ABC5TEST\n\n"+tt.lines+"\n!", "\n", "\r\n")
		if !tt.noChecksum {
			telegram += fmt.Sprintf("%04X", p1.Checksum([]byte(telegram)))
		}
		telegram += "\r\n"
		if tt.file != "" {
			telegram = string(read(t, filepath.Join("testdata", "field", tt.file)))
		}
		checkText(t, tt.name, telegram, 0, tt.wantError, tt.want)
		if strings.HasSuffix(telegram, "\r\n") {
			ordinary := ordinaryText(t)
			checkText(t, tt.name+", between two telegrams", ordinary+telegram+ordinary, int64(len(ordinary)), tt.wantError, tt.want)
		}
	}
}

// ordinaryText returns an ASCII telegram of a usual form.
func ordinaryText(t *testing.T) string {
	t.Helper()
	a, _ := twoTelegrams(t, "p1-se-aidon")
	return a.bytes
}

// checkText tests that the telegram at an offset of a stream gives the wanted values. If wantError is not "", checkText tests instead that the
// telegram gives an error that contains wantError.
func checkText(t *testing.T, name, stream string, offset int64, wantError string, want wanted) {
	t.Helper()
	d := meter.NewDecoder(strings.NewReader(stream), meter.Options{AcceptUnverified: true})
	for {
		r, err := d.Next()
		var e *meter.TelegramError
		switch {
		case errors.As(err, &e):
			if e.Offset == offset && (wantError == "" || !strings.Contains(err.Error(), wantError)) {
				t.Errorf("%s: got error %v, want %q", name, err, wantError)
			}
			if e.Offset == offset {
				return
			}
		case errors.Is(err, io.EOF):
			t.Errorf("%s: got no telegram at byte %d", name, offset)
			return
		case r.Offset == offset:
			if wantError != "" {
				t.Errorf("%s: got a reading, want an error with %q", name, wantError)
			}
			compareValues(t, name, r, want)
			return
		}
	}
}

// compareValues tests that a reading has the wanted values.
func compareValues(t *testing.T, name string, r *meter.Reading, want wanted) {
	t.Helper()
	got := map[string]string{}
	if !r.Time.IsZero() {
		got["clock"] = r.Time.String()
	}
	if r.Meter.Serial != "" {
		got["serial"] = r.Meter.Serial
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		if s.ID.Row().Numeric() {
			got[s.ID.String()] = string(s.Value.AppendFixed(nil, s.Decimals()))
		} else {
			got[s.ID.String()] = string(s.Text)
		}
	}
	for key, value := range want {
		switch gotValue, present := got[key]; {
		case value == absent && present:
			t.Errorf("%s: got %s %s, want none", name, key, gotValue)
		case value != absent && gotValue != value:
			t.Errorf("%s: got %s %q, want %s", name, key, gotValue, value)
		}
	}
}

// TestSharedTexts tests that captured telegrams give their values. The captures are in a folder that is not part of the project. If the folder
// does not exist, the test is skipped.
func TestSharedTexts(t *testing.T) {
	folder := filepath.Join(sharedFolder, "field")
	if _, err := os.Stat(folder); err != nil {
		if _, err := os.Stat(sharedFolder); err == nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s exists, but has no folder field", sharedFolder)
		}
		t.Skipf("%s does not exist, and is not part of the project; TestUnusualTexts tests similar telegrams", folder)
	}
	for _, tt := range sharedTexts {
		checkText(t, tt.file, string(read(t, filepath.Join(folder, tt.file))), 0, tt.wantError, tt.want)
	}
}

// sharedTexts has the expected values or the expected error of each captured telegram. The folder and the file names are not ours.
var sharedTexts = []struct {
	file, wantError string
	want            wanted
}{
	{"gas-lowercase-s.txt", "", wanted{"gas": "845.206"}},
	{"fuse-two-values.txt", "", wanted{"fuse_limit": "100"}},
	{"warmte-unpadded.txt", "", wanted{"thermal_energy": "240.860"}},
	{"crc-rel-3.txt", "", wanted{"thermal_energy": "11.314"}},
	{"m3-latin1.txt", "", wanted{"gas": "1269.375", "import_energy_t1": "4423.770", "import_power": "300"}},
	{"m3-utf8.txt", "", wanted{"gas": "1269.375", "import_energy_t1": "4423.770", "import_power": "300"}},
	{"text-latin1.txt", "", wanted{"gas": "1269.375", "import_energy_t1": "4423.770", "import_power": "300"}},
	{"ff-partial.txt", "", wanted{"import_energy": "4423.770", "text_message": "HELLO"}},
	{"high-byte-crc-right.txt", "", wanted{"import_power": "2793"}},
	{"hly-unit.txt", "", wanted{"absolute_energy": "7137.694", "import_power": "420", "frequency": "50.01"}},
	{"blank-line.txt", "", wanted{"import_energy": "3668.743", "import_power": "300"}},
	{"holley-month.txt", "", wanted{"clock": "2025-05-13T21:41:20+02:00", "import_energy": "31108.121", "month_peak_demand": absent}},
	{"holley-rel-clock.txt", "", wanted{"clock": "2025-05-13T21:41:20+02:00", "import_energy": "31108.121", "month_peak_demand": absent}},
	{"il-kaifa.txt", "", wanted{"import_energy": "32893.155", "export_energy": "0.000", "tariff": "03"}},
	{"il-rel-a.txt", "", wanted{"import_energy": "30.000"}},
	{"q3da1004.txt", "", wanted{"import_power": "336", "import_power_l1": "200", "import_power_l2": "122", "import_power_l3": "14"}},
	{"q3db1024-export.txt", "", wanted{"import_power": "0", "export_power": "89"}},
	{"hager.txt", "", wanted{"import_energy_t1": "16.986", "export_energy_t1": "1.574"}},
	{"hager-0.txt", "", wanted{"import_energy_t1": "16.986", "export_energy_t1": "1.574"}},
	{"d0-as1440.txt", "", wanted{"import_energy": "12345.678", "import_power": "345"}},
	{"d0-amp.txt", "", wanted{"import_energy": "1234.568", "import_power": "300"}},
	{"els.txt", "", wanted{"import_energy": "5974.001", "export_energy": "113.121", "net_power": "300"}},
	{"p1-FF.txt", "", wanted{"import_energy": "1234.567", "import_power": "300"}},
	{"malformed-number-no-crc.txt", "line 3", nil},
	{"eso.txt", "", wanted{"fuse_limit": absent, "import_energy": "9548.086"}},
	{"heat-004.txt", "", wanted{"thermal_energy": "123.456"}},
	{"heat-012.txt", "", wanted{"thermal_energy": "123456000.000"}},
	{"esr.txt", "", wanted{"tariff": "T1", "clock": "2024-06-28T10:43:43+02:00"}},
	{"dsmr22-no-newline.txt", "", wanted{"import_energy_t1": "185.000", "gas": "124.477"}},
	{"dsmr22-lf.txt", "", wanted{"import_energy_t1": "185.000", "gas": "124.477"}},
	{"ends-at-mark.txt", "", wanted{"import_energy_t1": "185.110"}},
	{"lf-only.txt", "line ends were changed on the way", nil},
}
