package render

import (
	"strings"
	"testing"
)

// TestNoTelegram tests the reason that is given for an input without a telegram.
func TestNoTelegram(t *testing.T) {
	const (
		isText        = "it is text, but neither"
		isOtherBinary = "another line setting"
	)
	tests := []struct{ name, in, want string }{
		{"empty", "", "it is empty"},
		{"words", "a log\r\n\twith words\n", isText},
		{"an umlaut", "Zähler: größer – 5 €\u00a0…", isText},
		{"a byte order mark at the start", "\ufeffwords", isText},
		{"cut within a character", strings.Repeat("x", 511) + "ä", isText},
		{"Latin-1", "Z\xE4hler: keiner", isOtherBinary},
		{"a control character", "words\x00", isOtherBinary},
		{"hexadecimal bytes among words", "RX: 7E A2 43 41 08 83 13 85 EB\nthe rest is lost\n", "no whole telegram is in these"},
		{"a dump of characters", "0000000   ~ 242   C   A  \\b 203 023 205 353 346 347  \\0 017   @  \\0  \\0\n", isText},
		{"Base64", "fqJDQQiDE4Xr5ucAD0AAAAAAARsCAgkGAAABAAD/CQwH6gsc\nBgkKCgAAgAD/AgMJBgEAAQcA/wYAAAi5AgIPABYb\n", "base64 -d FILE"},
		{"UTF-16, little-endian", "\xFF\xFE/\x00A\x00", "it is in UTF-16"},
		{"UTF-16, big-endian", "\xFE\xFF\x00/\x00A", "it is in UTF-16"},
		{"noise", "\x80\xC3\xFF\x00", isOtherBinary},
		{"P1 data lines without an identification line", "1-0:1.8.0(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"other bytes before P1 data lines", "\xFF\xFE\x80\r\n\r\n1-0:1.8.0(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"a code with a billing period", "1-0:1.8.0*255(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"a code of six groups", "0-0:96.1.1.255(1234)\n", "the first one, which begins with /"},
		{"a code in words", "sensor 1-0:1.8.0(12)\n1-0:1.8.0 is energy\n", isText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var content headReader
			in := headReader{Reader: strings.NewReader(tt.in)}
			content.Reader = &in
			for buf := make([]byte, 700); ; {
				if _, err := content.Read(buf); err != nil {
					break
				}
			}
			counts := tally{head: in.head, content: content.head}
			if got := counts.noTelegramReason(); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, which lacks %q", got, tt.want)
			}
		})
	}
}

func TestDecodeAdvice(t *testing.T) {
	const kB = 1 << 10
	tests := []struct {
		name   string
		counts tally
		want   string // "" for no advice
	}{
		{"noise", tally{damaged: 3, damagedBytes: 15, size: 200 * kB}, "nearly all of its 204800 bytes belong to no telegram: " + lineSettingAdvice},
		{"an empty input", tally{empty: true}, "no telegram in it: it is empty"},
		{"damaged telegrams", tally{damaged: 20, damagedBytes: 12 * kB, size: 20 * kB}, ""},
		{"one telegram whose header is damaged", tally{damaged: 1, damagedBytes: 10, size: 581}, ""},
		{"an intact telegram in noise", tally{good: 1, damaged: 3, damagedBytes: 15, size: 200 * kB}, ""},
		{"an encrypted telegram without its key, in noise", tally{damaged: 1, intact: 1, damagedBytes: 400, size: 200 * kB}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.counts.advice(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
