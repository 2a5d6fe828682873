package mask_test

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// telegram returns a P1 telegram with an identification line, data lines and a checksum.
func telegram(ident string, lines ...string) string {
	return string(p1.Append(nil, []byte(strings.Join(slices.Concat([]string{"/" + ident, ""}, lines, []string{"!"}), "\r\n"))))
}

// TestText tests that values and identification lines are masked if they can identify a meter or a person.
func TestText(t *testing.T) {
	const power = "1-0:1.7.0(0000.345*kW)"
	for _, tt := range []struct{ name, in, want string }{
		{"serial number of digits", "0-0:96.1.0(12345678)", "0-0:96.1.0(00000000)"},
		{"serial number with a manufacturer code, which remains", "0-0:96.1.0(1SAG1100012345)", "0-0:96.1.0(0SAG0000000000)"},
		{"serial number whose characters are sent as hexadecimal digits", "0-0:96.1.1(4530303334303036383130353136343136)", "0-0:96.1.1(4530303030303030303030303030303030)"},
		{"serial number of 16 digits that decode to letters: not decoded", "0-0:96.1.0(4142434445464748)", "0-0:96.1.0(0000000000000000)"},
		{"serial number of hexadecimal digits that decode to other bytes than text", "0-1:96.1.0(5f5f5f5f54aB)", "0-1:96.1.0(0f0f0X0X00XX)"},
		{"device name", "0-0:42.0.0(53414731303330373930303031323334)", "0-0:42.0.0(53414730303030303030303030303030)"},
		{"message of hexadecimal digits and a space: not decoded", "0-0:96.13.0(48657921 )", "0-0:96.13.0(00000000 )"},
		{"message in hexadecimal", "0-0:96.13.0(4865792C20303132)", "0-0:96.13.0(7878782C20303030)"},
		{"message that is not in hexadecimal", "0-0:96.13.0(Dear Anna 1)", "0-0:96.13.0(xxxx xxxx 0)"},
		{"unknown code", "0-0:94.7.1(AB12345)(7)", "0-0:94.7.1(AB00000)(0)"},
		{"unknown code, timestamp and number", "0-0:94.7.1(260131120000W)(00012.3*kWh)", "0-0:94.7.1(260131120000W)(00012.3*kWh)"},
		{"serial number like a timestamp, but of month 99", "0-0:96.1.0(269931120000W)", "0-0:96.1.0(000000000000X)"},
		{"error code in two pairs of parentheses, harmless code", "1-0:0.2.0((ER11))", "1-0:0.2.0((ER11))"},
		{"serial number in two pairs of parentheses", "0-0:96.1.0((1234567))", "0-0:96.1.0((0000000))"},
		{"clock", "0-0:1.0.0(260131120000W)", "0-0:1.0.0(260131120000W)"},
		{"version", "1-3:0.2.8(50)", "1-3:0.2.8(50)"},
		{"version of Belgium", "0-0:96.1.4(50217)", "0-0:96.1.4(50217)"},
		{"tariff", "0-0:96.14.0(0002)", "0-0:96.14.0(0002)"},
		{"device type", "0-1:24.1.0(003)", "0-1:24.1.0(003)"},
		{"gas counter", "0-1:24.2.1(260131120000W)(00123.456*m3)", "0-1:24.2.1(260131120000W)(00123.456*m3)"},
		{"log of power failures", "1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)", "1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)"},
		{"counter without unit", "1-0:1.8.0(00012345.678)", "1-0:1.8.0(00012345.678)"},
		{"empty value", "0-0:96.1.0()", "0-0:96.1.0()"},
	} {
		out, _, errs := masked(t, strings.NewReader(telegram("ABC5", tt.in, power)), nil)
		if diff := cmp.Diff(telegram("ABC5", tt.want, power), string(out)); diff != "" {
			t.Errorf("%s: errors %v, -want +got:\n%s", tt.name, errs, diff)
		}
	}
	for in, want := range map[string]string{
		"ADN9 6534": "ADN9 6534", `ELL5\253833635_A`: `ELL5\000000000_A`, "KFM5KAIFA-METER": "KFM5KAIFA-METER",
		`ISK5\2M550T-1012`: `ISK5\2M550T-1012`, "KMP5 ZABF001587315111": "KMP5 ZABF000000000000", "NES5:83335-3E": "NES5:83335-3E",
	} {
		out, _, _ := masked(t, strings.NewReader(telegram(in, power)), nil)
		if diff := cmp.Diff(telegram(want, power), string(out)); diff != "" {
			t.Errorf("identification line %s, -want +got:\n%s", in, diff)
		}
	}
}

// TestTextWithoutChecksum tests that a telegram without a checksum gets no checksum. The gas value on the line after its code must not change,
// because its code is harmless. The results must be the same with parity bits.
func TestTextWithoutChecksum(t *testing.T) {
	const beginning = "/ISK5\\2MT382-1004\r\n\r\n0-0:96.1.1("
	const rest = ")\r\n1-0:1.8.1(00001.001*kWh)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00908.123)\r\n!\r\n"
	in, want := beginning+"12345678901234"+rest, beginning+"00000000000000"+rest
	if out, _, errs := masked(t, strings.NewReader(in), nil); string(out) != want {
		t.Errorf("got %q and errors %v, want %q", out, errs, want)
	}
	withParity := func(text string) string {
		b := []byte(text)
		for i, x := range b {
			b[i] = x | byte(bits.OnesCount8(x)&1)<<7
		}
		return string(b)
	}
	if out, _, errs := masked(t, strings.NewReader(withParity(in)), nil); string(out) != withParity(want) {
		t.Errorf("with parity bits: got %q and errors %v, want %q", out, errs, withParity(want))
	}
}

// TestTextForms tests that telegrams with short codes, labels in place of codes, blocks of past values, or texts of two lines are masked.
func TestTextForms(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"short codes", "96.1.0(41234567)\r\n1.8.0(001111.222*kWh)\r\n1.8.0*1(001100.000)\r\n0.9.1(08:09:10)\r\n", "96.1.0(00000000)\r\n1.8.0(001111.222*kWh)\r\n1.8.0*1(001100.000)\r\n0.9.1(08:09:10)\r\n"},
		{"labels in place of codes", "1-0:1.8.0(1*kWh)\r\nC.1.0(41234567)\r\n0:0.0.0(77)\r\n", "1-0:1.8.0(1*kWh)\r\nC.1.0(00000000)\r\n0:0.0.0(00)\r\n"},
		{"block of past values", "1-0:1.8.0(1*kWh)\r\n0-0:98.1.0\r\n(\r\n0-0:96.1.0(41234567)\r\n1-0:1.8.0(2*kWh)\r\n)\r\n", "1-0:1.8.0(1*kWh)\r\n0-0:98.1.0\r\n(\r\n0-0:96.1.0(00000000)\r\n1-0:1.8.0(2*kWh)\r\n)\r\n"},
		{"text in two lines", "1-0:1.8.0(1*kWh)\r\n0-0:96.13.0(Dear\r\nAnna 1)\r\n", "1-0:1.8.0(1*kWh)\r\n0-0:96.13.0(xxxx\r\nxxxx 0)\r\n"},
	} {
		in, want := "/ABC5\r\n\r\n"+tt.in+"!\r\n", "/ABC5\r\n\r\n"+tt.want+"!\r\n"
		if out, _, errs := masked(t, strings.NewReader(in), nil); string(out) != want {
			t.Errorf("%s: got %q and errors %v, want %q", tt.name, out, errs, want)
		}
	}
}

// TestShortChecksums tests that telegrams with a checksum of fewer than four digits are masked. The test tries 100 serial numbers, because only
// some of them give such a checksum.
func TestShortChecksums(t *testing.T) {
	const pattern = "/ABC5\r\n\r\n1-0:1.8.0(20061*kWh)\r\n0-0:96.1.0(SERIAL)\r\n!"
	want := strings.Replace(pattern, "SERIAL", "000000", 1)
	short := 0
	for i := range 100 {
		text := strings.Replace(pattern, "SERIAL", fmt.Sprintf("%06d", i*7919), 1)
		checksum := fmt.Sprintf("%X", p1.Checksum([]byte(text)))
		if len(checksum) < 4 {
			short++
		}
		in := text + checksum + "\r\n"
		out, _, errs := masked(t, strings.NewReader(in), nil)
		if !strings.HasPrefix(string(out), want) || len(errs) > 0 {
			t.Errorf("%q: got %q and errors %v, want %q and a checksum", in, out, errs, want)
		}
	}
	if short == 0 {
		t.Error("got no checksum with fewer than four digits, want some")
	}
}
