package simulate_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// sunnyNoon is the state of a household whose solar cells export on L1 and L2 while L3 imports. Some counters are 1 Ws below a multiple of 3600 Ws
// (1 Wh), so that the tests notice a meter that rounds up.
var sunnyNoon = simulate.State{
	Time:          time.Date(2026, 5, 10, 10, 20, 30, 0, time.UTC),
	Power:         [3]int64{-1234, -56, 1890},
	ReactivePower: [3]int64{-78, 90, 0},
	Voltage:       [3]int64{2334, 2310, 2256},
	Current:       [3]int64{-5297, -460, 8380},
	Energies:      simulate.Energies{Import: 44_000_003_599, Export: 3_600_000, ImportReactive: 7199, ExportReactive: 3600},
	Hour:          time.Date(2026, 5, 10, 10, 0, 0, 0, time.UTC),
	HourEnergies: simulate.Energies{
		Import: 43_200_035_999, Export: 3_599_999, ImportReactive: 36_000, ExportReactive: 0,
	},
	Frequency: 5001,
	Registers: simulate.Registers{
		Tariff:           2,
		TariffEnergies:   [2]simulate.Energies{{Import: 40_000_000_000}, {Import: 4_000_003_599, Export: 3_600_000}},
		QuadrantEnergies: [4]int64{3600, 3599, 0, 3600},
		QuarterEnergy:    [2]int64{900_000, 0}, LastQuarterPower: [2]int64{2500, 0},
		Peaks: [5]simulate.Peak{
			{At: time.Date(2026, 5, 3, 17, 45, 0, 0, time.UTC), Watts: 7654},
			{At: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), Watts: 8000},
			{At: time.Date(2026, 3, 29, 1, 15, 0, 0, time.UTC), Watts: 900},
			{At: time.Date(2026, 2, 1, 17, 45, 0, 0, time.UTC), Watts: 6001},
			{At: time.Date(2026, 1, 31, 23, 45, 0, 0, time.UTC), Watts: 11_222},
		},
		MediaTime: time.Date(2026, 5, 10, 10, 20, 0, 0, time.UTC), Gas: 1_234_567, HourGas: 1_234_500, Water: 890, Heat: 31_177,
		Failures: 3, LongFailures: 1, Sags: [3]int64{0, 12, 0}, Swells: [3]int64{1, 0, 0},
	},
}

// TestASCIITelegrams compares all lines of three P1 telegrams, which differ in the order of lines, the spelling of units and the sign of currents.
func TestASCIITelegrams(t *testing.T) {
	for _, row := range []struct{ family, want string }{
		{"p1-fi-aidon", `/ADN9 7534

0-0:1.0.0(260510132030S)
1-0:1.8.0(00012222.223*kWh)
1-0:2.8.0(00000001.000*kWh)
1-0:3.8.0(00000000.001*kVArh)
1-0:4.8.0(00000000.001*kVArh)
1-0:1.7.0(0000.600*kW)
1-0:2.7.0(0000.000*kW)
1-0:3.7.0(0000.012*kVAr)
1-0:4.7.0(0000.000*kVAr)
1-0:21.7.0(0000.000*kW)
1-0:22.7.0(0001.234*kW)
1-0:41.7.0(0000.000*kW)
1-0:42.7.0(0000.056*kW)
1-0:61.7.0(0001.890*kW)
1-0:62.7.0(0000.000*kW)
1-0:23.7.0(0000.000*kVAr)
1-0:24.7.0(0000.078*kVAr)
1-0:43.7.0(0000.090*kVAr)
1-0:44.7.0(0000.000*kVAr)
1-0:63.7.0(0000.000*kVAr)
1-0:64.7.0(0000.000*kVAr)
1-0:32.7.0(233.4*V)
1-0:52.7.0(231.0*V)
1-0:72.7.0(225.6*V)
1-0:31.7.0(-005.3*A)
1-0:51.7.0(-000.5*A)
1-0:71.7.0(008.4*A)
!`},
		{"p1-se-sagemcom", `/ELL5\200000001_A

0-0:1.0.0(260510112030W)
1-0:1.8.0(00012222.223*kWh)
1-0:2.8.0(00000001.000*kWh)
1-0:3.8.0(00000000.001*kvarh)
1-0:4.8.0(00000000.001*kvarh)
1-0:1.7.0(0000.600*kW)
1-0:2.7.0(0000.000*kW)
1-0:3.7.0(0000.012*kvar)
1-0:4.7.0(0000.000*kvar)
1-0:21.7.0(0000.000*kW)
1-0:41.7.0(0000.000*kW)
1-0:61.7.0(0001.890*kW)
1-0:22.7.0(0001.234*kW)
1-0:42.7.0(0000.056*kW)
1-0:62.7.0(0000.000*kW)
1-0:23.7.0(0000.000*kvar)
1-0:43.7.0(0000.090*kvar)
1-0:63.7.0(0000.000*kvar)
1-0:24.7.0(0000.078*kvar)
1-0:44.7.0(0000.000*kvar)
1-0:64.7.0(0000.000*kvar)
1-0:32.7.0(233.4*V)
1-0:52.7.0(231.0*V)
1-0:72.7.0(225.6*V)
1-0:31.7.0(005.3*A)
1-0:51.7.0(000.5*A)
1-0:71.7.0(008.4*A)
!`},
		{"p1-se-aidon-6560", `/ADN9 6560

0-0:1.0.0(260510112030W)
1-0:1.8.0(00611111.161*Wh)
1-0:2.8.0(00000050.000*Wh)
1-0:3.8.0(00000000.099*VArh)
1-0:4.8.0(00000000.050*VArh)
1-0:1.7.0(0030.000*W)
1-0:2.7.0(0000.000*W)
1-0:3.7.0(0000.600*VAr)
1-0:4.7.0(0000.000*VAr)
1-0:21.7.0(0000.000*W)
1-0:22.7.0(0061.700*W)
1-0:41.7.0(0000.000*W)
1-0:42.7.0(0002.800*W)
1-0:61.7.0(0094.500*W)
1-0:62.7.0(0000.000*W)
1-0:23.7.0(0000.000*VAr)
1-0:24.7.0(0003.900*VAr)
1-0:43.7.0(0004.500*VAr)
1-0:44.7.0(0000.000*VAr)
1-0:63.7.0(0000.000*VAr)
1-0:64.7.0(0000.000*VAr)
1-0:32.7.0(233.4*V)
1-0:52.7.0(231.0*V)
1-0:72.7.0(225.6*V)
1-0:31.7.0(000.3*A)
1-0:51.7.0(000.0*A)
1-0:71.7.0(000.4*A)
1-0:0.4.2(20)
1-0:0.4.3(001.00)
!`},
	} {
		got := string(encode(t, row.family))
		end := strings.IndexByte(got, '!') + 1
		if diff := cmp.Diff(strings.ReplaceAll(row.want, "\n", "\r\n"), got[:end]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.family, diff)
		}
		if rest := got[end:]; len(rest) != 6 || rest[4:] != "\r\n" {
			t.Errorf("%s: got %q at the end, want a checksum and a line end", row.family, rest)
		}
	}
}

// TestDLMSItems compares parts of binary telegrams: headers, and items with their code, type, scaler and unit.
func TestDLMSItems(t *testing.T) {
	for _, row := range []struct{ family, item, want string }{
		{"aidon-no1", "frame", "7ea02a4108831304 13e6e700 0f4000000000 0101 0203 09060100010700ff 0600000258 02020f00161b"},
		{"aidon-no3", "header", "7ea18a41088313ebfde6e7000f400000000001120202 0906 0101000281ff 0a0b 4149444f4e5f5630303031"},
		{"aidon-no3", "number", "0202 0906 0000600100ff 0a10 37333539393930303030303030303031"},
		{"aidon-no3", "type", "0202 0906 0000600107ff 0a04 36353334"},
		{"aidon-no3", "clock of the hour, a Sunday", "0202 0906 0000010000ff 090c 07ea050a000c0000ff 0000 00"},
		{"aidon-no3", "energy of the hour, in 10 Wh", "0203 0906 0100010800ff 06 00124f80 0202 0f01 161e"},
		{"aidon-no3", "reactive energy", "0203 0906 0100030800ff 06 00000001 0202 0f01 1620"},
		{"aidon-se", "header and clock", "7ea2434108831385ebe6e7000f4000000000011b 0202 0906 0000010000ff 090c 07ea050a000b141e00 8000 ff"},
		{"aidon-se", "negative current", "0203 0906 01001f0700ff 10 ffcb 0202 0fff 1621"},
		{"aidon-se", "voltage", "0203 0906 0100480700ff 12 08d0 0202 0fff 1623"},
		{"aidon-se", "export of a phase", "0203 0906 0100160700ff 06 000004d2 0202 0f00 161b"},
		{"aidon-se", "reactive power", "0203 0906 01002b0700ff 06 0000005a 0202 0f00 161d"},
		{"aidon-se", "energy, in Wh", "0203 0906 0100010800ff 06 00ba7f0f 0202 0f00 161e"},
		{"landisgyr-no3", "current, in 0.01 A", "0203 0906 01001f0700ff 10 fdee 0202 0ffe 1621"},
		{"landisgyr-no3-zmf", "current with a swapped tag", "0203 0609 01001f0700ff 10 fdee 0202 0ffe 1621"},
		{"landisgyr-no3-zmf", "energy with a code of medium 0, in Wh", "0203 0906 0000010800ff 06 00b71b09 0202 0f00 161e"},
		{"kaifa-no2", "header with a tagged time", "e6e700 0f40000000 090c 07ea050a070c141e ff 8000 00 020d 0907 4b464d5f303031"},
		{"kaifa-no2", "current, in mA, without a sign", "06 000014b1 06 000001cc 06 000020bc 06 0000091e"},
		{"kaifa-no3-3w", "no voltage of L2", "06 0000091e 06 00000000 06 000008d0"},
		{"kaifa-se", "header without a time, and the clock", "e6e700 0f40000000 00 0224 0906 0100000281ff"},
		{"kaifa-se", "clock with a zone", "0906 0000010000ff 090c 07ea050a070b141e ff ffc4 00"},
		{"kaifa-se-ct", "energy of 64 bits", "15 0000000000ba7f0f"},
		{"kamstrup-no2", "header", "0f00000000 0c 07ea050a070c141e ff 8000 00 0223 0a0e 4b616d73747275705f5630303031 0906"},
		{"kamstrup-no2", "current, in 0.01 A", "0906 01011f0700ff 06 00000212"},
		{"kamstrup-no2", "energy of the hour, in 10 Wh", "0906 0101010800ff 06 00124f80"},
		{"kamstrup-no-1p", "nulls", "06 00000212 00000000 0906 0101200700ff 12 00e9 00000000 0906 0001010000ff"},
		{"kamstrup-dk", "header of the cipher", "e6e700 db08 4b414d4501000001 8201d0 30"},
		{"kamstrup-dk-25", "a length of two bytes", "e6e700 db08 4b414d4501000001 8200e7 30"},
		{"landisgyr-ch", "first block", "e6e700 e040 0001 0000 77 0f"},
		{"landisgyr-ch", "setup and name of the push", "0111 0204 12 0028 0906 0008190900ff 0f02 12 0000 0204 12 0028 0906 0008190900ff 0f01 12 0000"},
		{"landisgyr-at", "cipher of one frame", "e6e700 db08 4c475a6772000001 5e 30"},
		{"iskra-ch", "first segment", "7ea8a4 cf 0223 03"},
		{"iskra-ch", "last segment", "7ea02d cf 0223 13"},
		{"iskra-si2", "switch and tariff", "0900 0301 0902 0002 06 00ba7f0f"},
		{"iskra-hr", "parts of the clock", "0904 0c141e00 0905 07ea050a07"},
		{"iskra-hr", "limits in lists", "0101 12 2710 0101 12 2710 0101 12 2710 0301"},
		{"landisgyr-at-11", "cipher of one frame", "7ea06d ceff 03 13"},
		{"landisgyr-at-wien", "frame and cipher", "7ea067 ceff 03 13"},
		{"landisgyr-at-wien", "header of the cipher", "e6e700 db08 4c475a6773000002 4f 20"},
		{"iskra-at-wien", "frame", "7ea067 cf 0223 13"},
		{"siemens-at-wien", "frame with an address of four bytes", "7ea07b cf 00020023 13"},
		{"siemens-at-wien", "header of the cipher", "e6e700 db08 534d536770000001 61 20"},
		{"siemens-at-wels", "frame with an address of four bytes", "7ea075 cf 00020023 13"},
		{"kaifa-at", "header of the first frame", "68fafa68 53ff00 0167 db08 4b464d1020000001 81f8 20"},
		{"kaifa-pl", "security suite 1", "68fafa68 53ff00 0167 db08 4b464d1020000001 820155 21"},
		{"sagemcom-at", "frame length that overflows", "68010168 53ff00 0167 db08 5341475900000001 81f8 20"},
		{"sagemcom-at", "second frame", "680d0d68 53ff11 0167"},
		{"sagemcom-ch", "attribute descriptors without tags", "00 0202 1601 0116 0202 0001 0000600101ff 02 090a"},
		{"sagemcom-ch", "power", "0202 0003 0100010700ff 02 06 00000258"},
		{"p1-lu", "header of the cipher, without a frame", "db08 5341476700000001 82"},
	} {
		got := hex.EncodeToString(encode(t, row.family))
		if want := strings.ReplaceAll(row.want, " ", ""); !strings.Contains(got, want) {
			t.Errorf("%s, %s: got %s, want %s in it", row.family, row.item, got, want)
		}
	}
}

// TestASCIILines checks lines that some ASCII meters write differently from others.
func TestASCIILines(t *testing.T) {
	for _, row := range []struct{ family, want string }{
		{"p1-nl-22", "/ISk5\\2MT382-1003\n\n0-0:96.1.1("},
		{"p1-nl-22", "\n1-0:1.7.0(0000.60*kW)\n"},
		{"p1-nl-22", "\n0-1:24.3.0(260510120000)(00)(60)(1)(0-1:24.2.1)(m3)\n(01234.500)\n0-1:24.4.0(1)\n!\n"},
		{"p1-nl-22-kamstrup", "/KMP5 KA6U000000000001\n0-0:96.1.1("},
		{"p1-nl-3", "(0-1:24.2.1)(m3)(01234.500)\n"},
		{"p1-nl-4-kaifa", "\n0-1:24.2.1(260510120000S)(01234.500*m3)\n"},
		{"p1-nl-5", "\n0-2:24.2.1(260510122000S)(01234.567*m3)\n"},
		{"p1-nl-5", "\n0-3:24.2.1(260510122000S)(00000.890*m3)\n"},
		{"p1-nl-5", "\n1-0:1.8.2(001111.112*kWh)\n"},
		{"p1-nl-5", "\n1-0:52.32.0(00012)\n"},
		{"p1-nl-5", "\n1-0:31.7.0(005*A)\n"},
		{"p1-nl-heat", "\n0-0:1.1.0(260510122030S)\n"},
		{"p1-nl-heat", "(00031.177*GJ)\n"},
		{"p1-be", "\n1-0:1.8.1(001111.112*kWh)\n1-0:1.8.2(011111.111*kWh)\n"},
		{"p1-be", "\n0-0:96.14.0(0001)\n1-0:1.4.0(01.000*kW)\n1-0:1.6.0(260503194500S)(07.654*kW)\n"},
		{"p1-be", "\n0-0:98.1.0(4)(1-0:1.6.0)(1-0:1.6.0)(260501000000S)(260501000000S)(08.000*kW)(260401000000S)(260329031500S)(00.900*kW)"},
		{"p1-be", "\n1-0:31.7.0(005.30*A)\n"},
		{"p1-hu-sagemcom", "\n1-0:14.7.0(50.01*Hz)\n"},
		{"p1-hu-sagemcom", "\n1-0:15.8.0(012223.223*kWh)\n"},
		{"p1-hu-sanxing", "/AUX50000000001\n\n0-0:1.0.0("},
		{"p1-hu-sanxing", "\n0-0:96.50.68(ON)\n"},
		{"p1-hu-sanxing", "\n0-0:96.13.0(" + strings.Repeat("\xFF", 1024) + ")\n!"},
		{"p1-lt-early", "\n1-0:32.7.0(0000.233*kV)\n1-0:31.7.0(0000.005*kA)\n"},
		{"p1-lt-early", "\n1-0:14.7.0(0000.050*kHz)\n1-0:15.7.0(00000000.600*kW)\n1-0:21.7.0(00000000.000*kW)\n"},
		{"p1-lt", "\n1-0:1.24.0(02.500*kW)\n"},
		{"p1-lt", "\n0-0:1.0.0(260510132030S)\n"},
		{"p1-lu-plain", "\n1-0:9.7.0(00.600*kVA)\n"},
		{"p1-at-est5-plain", "\n1-0:1.8.0(012222223*Wh)\n"},
		{"p1-at-est5-plain", "\n1-0:1.7.0(000000600*W)\n"},
		{"p1-dk-nes", "\n0-0:1.0.0(20260510 12:20:30)\n1-0:1.8.0(12222.223*kWh)\n"},
		{"p1-si", "\n1-0:32.7.0(00233.4*V)\n"},
		{"p1-si", "\n1-0:71.7.0(008*A)\n!\n"},
		{"p1-se-iskra", "\n1-0:0.9.1(112030)\n1-0:0.9.2(260510)\n"},
		{"p1-se-iskra", "\n1-0:0.2.0((ER11))\n!"},
		{"p1-ch", "\n1-1:1.7.0(00.600*kW)\n"},
		{"p1-de-easymeter", "\n1-0:1.8.0*255(12222.2232219*kWh)\n"},
		{"p1-de-easymeter", "\n1-0:21.7.0*255(-001234.00*W)\n1-0:41.7.0*255(-000056.00*W)\n1-0:61.7.0*255(001890.00*W)\n1-0:1.7.0*255(000600.00*W)\n"},
		{"p1-pl", "/EGM5G35\n\n\x00\x82"},
	} {
		if got, want := string(encode(t, row.family)), strings.ReplaceAll(row.want, "\n", "\r\n"); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %q", row.family, want, got)
		}
	}
}

// encode returns the telegram of a family at sunnyNoon.
func encode(t *testing.T, family string) []byte {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	prefix := []byte("before")
	s := sunnyNoon
	got := f.Append(prefix, &s)
	if string(got[:len(prefix)]) != "before" || s != sunnyNoon {
		t.Errorf("%s: Append changed its arguments", family)
	}
	return got[len(prefix):]
}

// TestChangesToAndFromSummerTime checks the clock of telegrams in both nights of the year in which clocks change.
func TestChangesToAndFromSummerTime(t *testing.T) {
	spring := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	autumn := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		family string
		at     time.Time
		want   string
	}{
		{"p1-se-aidon", spring, "260329020000W"},
		{"p1-se-kamstrup", spring.Add(-time.Second), "260329015959W"},
		{"p1-se-kamstrup", spring, "260329030000S"},
		{"p1-se-kamstrup", autumn.Add(-time.Second), "261025025959S"},
		{"p1-se-kamstrup", autumn, "261025020000W"},
		{"p1-fi-aidon", spring.Add(-time.Second), "260329025959W"},
		{"p1-fi-aidon", spring, "260329040000S"},
		{"p1-fi-aidon", autumn, "261025030000W"},
	} {
		f, _ := simulate.Named(row.family)
		got := string(f.Append(nil, &simulate.State{Time: row.at}))
		if want := "0-0:1.0.0(" + row.want + ")\r\n"; !strings.Contains(got, want) {
			t.Errorf("%s at %v: no %q in %q", row.family, row.at, want, got[:60])
		}
	}
}
