package render

import (
	"strings"
	"testing"
)

// TestNoTelegram tests the reason that decode prints for an input without a telegram.
func TestNoTelegram(t *testing.T) {
	const (
		isText   = "it is text, but neither"
		isBinary = "another line setting"
	)
	tests := []struct{ name, input, want string }{
		{"empty", "", "it is empty"},
		{"words", "a log\r\n\twith words\n", isText},
		{"an umlaut", "Zähler: größer – 5 €\u00a0…", isText},
		{"a byte order mark at the start", "\ufeffwords", isText},
		{"the first 512 bytes end within a character", strings.Repeat("x", 511) + "ä", isText},
		{"text in Latin-1", "Z\xE4hler: keiner", isBinary},
		{"a control character", "words\x00", isBinary},
		{"hexadecimal bytes among words", "RX: 7E A2 43 41 08 83 13 85 EB\nthe rest is lost\n", "the numbers contain no complete telegram"},
		{"a dump of od -c", "0000000   ~ 242   C   A  \\b 203 023 205 353 346 347  \\0 017   @  \\0  \\0\n", isText},
		{"Base64", "fqJDQQiDE4Xr5ucAD0AAAAAAARsCAgkGAAABAAD/CQwH6gsc\nBgkKCgAAgAD/AgMJBgEAAQcA/wYAAAi5AgIPABYb\n", "base64 -d FILE"},
		{"UTF-16, little-endian", "\xFF\xFE/\x00A\x00", "it is in UTF-16"},
		{"UTF-16, big-endian", "\xFE\xFF\x00/\x00A", "it is in UTF-16"},
		{"random bytes", "\x80\xC3\xFF\x00", isBinary},
		{"P1 data lines without an identification line", "1-0:1.8.0(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"other bytes before P1 data lines", "\xFF\xFE\x80\r\n\r\n1-0:1.8.0(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"a code with a billing period", "1-0:1.8.0*255(000123.456*kWh)\r\n", "the first one, which begins with /"},
		{"a code of six groups", "0-0:96.1.1.255(1234)\n", "the first one, which begins with /"},
		{"an OBIS code within a sentence", "sensor 1-0:1.8.0(12)\n1-0:1.8.0 is energy\n", isText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var content headReader
			file := headReader{Reader: strings.NewReader(tt.input)}
			content.Reader = &file            // no conversion, so the content is the file itself
			buf := make([]byte, headLength+1) // a Read can deliver more bytes than the head stores
			for {
				if _, err := content.Read(buf); err != nil {
					break
				}
			}
			counts := tally{head: file.head, contentHead: content.head}
			if got := counts.noTelegramReason(); !strings.Contains(got, tt.want) {
				t.Errorf("got reason %q, want one that contains %q", got, tt.want)
			}
		})
	}
}

// TestDecodeAdvice tests that decode gives advice about a file in which nearly nothing is a telegram, and about no other file.
func TestDecodeAdvice(t *testing.T) {
	const kB = 1 << 10
	tests := []struct {
		name   string
		counts tally
		want   string // "" for no advice
	}{
		{"random bytes, of which 15 look like telegrams by chance", tally{rejected: 3, rejectedBytes: 15, contentSize: 200 * kB}, "nearly all of its 204800 bytes belong to no telegram: " + lineSettingAdvice},
		{"an empty file", tally{noTelegram: true}, "no telegram in it: it is empty"},
		{"many damaged telegrams", tally{rejected: 20, rejectedBytes: 12 * kB, contentSize: 20 * kB}, ""},
		{"a short file with one damaged telegram", tally{rejected: 1, rejectedBytes: 10, contentSize: 581}, ""},
		{"a telegram with a reading in random bytes", tally{good: 1, rejected: 3, rejectedBytes: 15, contentSize: 200 * kB}, ""},
		{"an encrypted telegram in random bytes", tally{rejected: 1, intact: 1, rejectedBytes: 400, contentSize: 200 * kB}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.counts.advice(); got != tt.want {
				t.Errorf("got advice %q, want %q", got, tt.want)
			}
		})
	}
}
