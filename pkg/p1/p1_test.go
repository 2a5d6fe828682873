package p1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestChecksum tests the check value of CRC-16/ARC.
func TestChecksum(t *testing.T) {
	if got, want := p1.Checksum([]byte("123456789")), uint16(0xBB3D); got != want {
		t.Errorf("Checksum = %04X, want %04X", got, want)
	}
	if got := p1.Checksum(nil); got != 0 {
		t.Errorf("Checksum of nothing = %04X, want 0", got)
	}
}

// withChecksum returns a telegram of an identification line and data lines, with the right checksum.
func withChecksum(lines ...string) string {
	body := strings.Join(lines, "\r\n") + "\r\n!"
	return body + checksumText(body)
}

// checksumText returns the checksum of a telegram up to its '!', in four hexadecimal digits.
func checksumText(body string) string { return fmt.Sprintf("%04X", p1.Checksum([]byte(body))) }

// code returns the code of a text such as "1-0:1.7.0".
func code(t testing.TB, text string) obis.Code {
	t.Helper()
	c, err := obis.ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// swedishTelegram returns a telegram with every kind of line that Swedish meters send.
func swedishTelegram() []byte {
	return p1.Append(nil, []byte("/ADN9 6534\r\n\r\n0-0:1.0.0(221101214520W)\r\n1-0:1.8.0(00006619.795*kWh)\r\n"+
		"1-0:3.8.0(00003137.803*kVArh)\r\n1-0:1.7.0(0000.345*kW)\r\n1-0:4.7.0(0000.132*kvar)\r\n1-0:32.7.0(230.7*V)\r\n"+
		"1-0:31.7.0(-000.6*A)\r\n!"))
}

// TestAllocs tests that reading allocates nothing for any kind of telegram, once the slice of records is long enough.
func TestAllocs(t *testing.T) {
	plain := swedishTelegram()
	sevenBits := withParity(plain)
	encrypted := p1.AppendEncrypted(nil, "EGM5G35", encryptedBody(560))
	dsmr2 := []byte("/ABC3\r\n\r\n0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00908.123)\r\n1-0:1.7.0(1kW)\r\n!\r\n")
	dst := make([]byte, len(sevenBits))
	var telegram p1.Telegram
	for name, read := range map[string]func() bool{
		"plain":                func() bool { return telegram.Parse(plain[:p1.Length(plain)]) == nil },
		"without checksum":     func() bool { return telegram.Parse(dsmr2[:p1.Length(dsmr2)]) == nil },
		"7 data bits":          func() bool { return p1.StripParity(dst, sevenBits) == len(sevenBits) },
		"encrypted":            func() bool { _, _, ok := p1.SplitEncrypted(encrypted[:p1.Length(encrypted)]); return ok },
		"check of encrypted":   func() bool { checked, _ := p1.CheckEncrypted(encrypted); return checked },
		"clock in two records": func() bool { _, ok := p1.ParseClock([]byte("094127"), []byte("220130")); return ok },
	} {
		if !read() {
			t.Errorf("%s: the input was not read", name)
		}
		if n := testing.AllocsPerRun(100, func() { read() }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// TestParseClock tests that ParseClock joins a time and a date, and refuses other forms.
func TestParseClock(t *testing.T) {
	at := obis.Time{Year: 2022, Month: 1, Day: 30, Hour: 9, Minute: 41, Second: 27}
	for _, tt := range []struct {
		time, date string
		want       obis.Time
		wantOK     bool
	}{
		{"094127", "220130", at, true},
		{"094127", "20220130", at, true},
		{"094127", "19220130", obis.Time{}, false},
		{"094127", "221330", obis.Time{}, false}, // month 13
		{"94127", "220130", obis.Time{}, false},
		{"094127", "2220130", obis.Time{}, false},
		{"0941x7", "220130", obis.Time{}, false},
		{"", "", obis.Time{}, false},
	} {
		got, ok := p1.ParseClock([]byte(tt.time), []byte(tt.date))
		if ok != tt.wantOK || ok && got != tt.want {
			t.Errorf("ParseClock(%q, %q) = %v, %v; want %v, %v", tt.time, tt.date, got, ok, tt.want, tt.wantOK)
		}
	}
}
