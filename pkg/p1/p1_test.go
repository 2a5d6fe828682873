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
func withChecksum(lines ...string) string {
	body := strings.Join(lines, "\r\n") + "\r\n!"
	return body + checksumText(body)
}

// sum is the checksum of a telegram up to its '!', as it is written.
func checksumText(body string) string { return fmt.Sprintf("%04X", p1.Checksum([]byte(body))) }

func code(t testing.TB, text string) obis.Code {
	t.Helper()
	c, err := obis.ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// household is a telegram of every kind of line that the Swedish meters send.
func household() []byte {
	return p1.Append(nil, []byte("/ADN9 6534\r\n\r\n0-0:1.0.0(221101214520W)\r\n1-0:1.8.0(00006619.795*kWh)\r\n"+
		"1-0:3.8.0(00003137.803*kVArh)\r\n1-0:1.7.0(0000.345*kW)\r\n1-0:4.7.0(0000.132*kvar)\r\n1-0:32.7.0(230.7*V)\r\n"+
		"1-0:31.7.0(-000.6*A)\r\n!"))
}
