package p1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

func TestChecksum(t *testing.T) {
	if got, want := p1.Checksum([]byte("123456789")), uint16(0xBB3D); got != want {
		t.Errorf("Checksum = %04X, want %04X", got, want)
	}
	if got := p1.Checksum(nil); got != 0 {
		t.Errorf("Checksum of nothing = %04X, want 0", got)
	}
}

// sealed is a telegram of an identification line and data lines, with the right checksum.
func sealed(lines ...string) string {
	body := strings.Join(lines, "\r\n") + "\r\n!"
	return body + sum(body)
}

// sum is the checksum of a telegram up to its '!', as it is written.
func sum(body string) string { return fmt.Sprintf("%04X", p1.Checksum([]byte(body))) }

func code(t testing.TB, text string) obis.Code {
	t.Helper()
	c, err := obis.ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// household is a telegram of every kind of line that the Swedish meters send.
func household(t testing.TB) []byte {
	t.Helper()
	return p1.Append(nil, "ADN9 6534", []p1.Line{
		{Code: code(t, "0-0:1.0.0"), Text: "221101214520W"},
		{Code: code(t, "1-0:1.8.0"), Value: obis.Decimal{Coef: 6619795}, Unit: "kWh", Digits: 8, Decimals: 3},
		{Code: code(t, "1-0:3.8.0"), Value: obis.Decimal{Coef: 3137803}, Unit: "kVArh", Digits: 8, Decimals: 3},
		{Code: code(t, "1-0:1.7.0"), Value: obis.Decimal{Coef: 345}, Unit: "kW", Digits: 4, Decimals: 3},
		{Code: code(t, "1-0:4.7.0"), Value: obis.Decimal{Coef: 132}, Unit: "kvar", Digits: 4, Decimals: 3},
		{Code: code(t, "1-0:32.7.0"), Value: obis.Decimal{Coef: 2307, Exp: -1}, Unit: "V", Digits: 3, Decimals: 1},
		{Code: code(t, "1-0:31.7.0"), Value: obis.Decimal{Coef: -6, Exp: -1}, Unit: "A", Digits: 3, Decimals: 1},
	})
}
