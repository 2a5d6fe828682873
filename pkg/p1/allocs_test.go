package p1_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestAllocs: nothing is allocated for a telegram once its records have grown, whatever its kind.
func TestAllocs(t *testing.T) {
	plain := household()
	line := withParity(plain)
	locked := p1.AppendEncrypted(nil, "EGM5G35", encryptedBody(560))
	old := []byte("/ABC3\r\n\r\n0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00908.123)\r\n1-0:1.7.0(1kW)\r\n!\r\n")
	dst := make([]byte, len(line))
	var telegram p1.Telegram
	for name, work := range map[string]func() bool{
		"plain":                func() bool { return telegram.Parse(plain[:p1.Length(plain)]) == nil },
		"without checksum":     func() bool { return telegram.Parse(old[:p1.Length(old)]) == nil },
		"7 data bits":          func() bool { return p1.StripParity(dst, line) == len(line) },
		"ciphered":             func() bool { _, _, ok := p1.SplitEncrypted(locked[:p1.Length(locked)]); return ok },
		"ciphered, checked":    func() bool { checked, _ := p1.CheckEncrypted(locked); return checked },
		"clock in two records": func() bool { _, ok := p1.ParseClock([]byte("094127"), []byte("220130")); return ok },
	} {
		if !work() {
			t.Errorf("%s: not read", name)
		}
		if n := testing.AllocsPerRun(100, func() { work() }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}
