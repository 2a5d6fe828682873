package simulate_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// noon is a household with sun on its roof and an oven on L3.
var noon = simulate.State{
	Time:     time.Date(2026, 5, 10, 10, 20, 30, 0, time.UTC),
	Power:    [3]int64{-1234, -56, 1890},
	Reactive: [3]int64{-78, 90, 0},
	Voltage:  [3]int64{2334, 2310, 2256},
	Current:  [3]int64{-5297, -460, 8380},
	Energies: simulate.Energies{Import: 44_000_003_599, Export: 3_600_000, ImportReactive: 7199, ExportReactive: 3600},
	Hour:     time.Date(2026, 5, 10, 10, 0, 0, 0, time.UTC),
	HourEnergies: simulate.Energies{
		Import: 43_200_035_999, Export: 3_599_999, ImportReactive: 36_000, ExportReactive: 0,
	},
}

// TestText holds whole P1 telegrams of each order, spelling and sign.
func TestText(t *testing.T) {
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
			t.Errorf("%s ends with %q, want a checksum and a line end", row.family, rest)
		}
	}
}

// TestBinary holds items of Aidon's lists, each with the code, type, scaler and unit by which it goes over the wire.
func TestBinary(t *testing.T) {
	for _, row := range []struct{ family, item, want string }{
		{"aidon-no1", "frame", "7ea02a4108831304 13e6e700 0f4000000000 0101 0203 09060100010700ff 0600000258 02020f00161b"},
		{"aidon-no3", "head", "7ea18a41088313ebfde6e7000f400000000001120202 0906 0101000281ff 0a0b 4149444f4e5f5630303031"},
		{"aidon-no3", "number", "0202 0906 0000600100ff 0a10 37333539393930303030303030303031"},
		{"aidon-no3", "type", "0202 0906 0000600107ff 0a04 36353334"},
		{"aidon-no3", "clock of the hour, a Sunday", "0202 0906 0000010000ff 090c 07ea050a000c0000ff 0000 00"},
		{"aidon-no3", "energy of the hour, in 10 Wh", "0203 0906 0100010800ff 06 00124f80 0202 0f01 161e"},
		{"aidon-no3", "reactive energy", "0203 0906 0100030800ff 06 00000001 0202 0f01 1620"},
		{"aidon-se", "head and clock", "7ea2434108831385ebe6e7000f4000000000011b 0202 0906 0000010000ff 090c 07ea050a000b141e00 8000 ff"},
		{"aidon-se", "negative current", "0203 0906 01001f0700ff 10 ffcb 0202 0fff 1621"},
		{"aidon-se", "voltage", "0203 0906 0100480700ff 12 08d0 0202 0fff 1623"},
		{"aidon-se", "export of a phase", "0203 0906 0100160700ff 06 000004d2 0202 0f00 161b"},
		{"aidon-se", "reactive power", "0203 0906 01002b0700ff 06 0000005a 0202 0f00 161d"},
		{"aidon-se", "energy, in Wh", "0203 0906 0100010800ff 06 00ba7f0f 0202 0f00 161e"},
	} {
		got := hex.EncodeToString(encode(t, row.family))
		if want := strings.ReplaceAll(row.want, " ", ""); !strings.Contains(got, want) {
			t.Errorf("%s, %s: no %s in %s", row.family, row.item, want, got)
		}
	}
}

func encode(t *testing.T, family string) []byte {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	before := []byte("before")
	s := noon
	got := f.Append(before, &s)
	if string(got[:len(before)]) != "before" || s != noon {
		t.Errorf("%s: Append changed what it was given", family)
	}
	return got[len(before):]
}

// TestClocksChange looks at both nights of the year on which clocks are changed.
func TestClocksChange(t *testing.T) {
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
