package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// telegramsOf returns successive telegrams of a simulated meter.
func telegramsOf(t *testing.T, family string, count int) (all []byte) {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	m := simulate.NewMeter(f, 1, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	for range count {
		_, telegram := m.Next()
		all = append(all, telegram...)
	}
	return all
}

// joined returns the bytes as numbers with a separator between them. number is the format of a number.
func joined(b []byte, number, separator string) string {
	all := make([]string, len(b))
	for i, x := range b {
		all[i] = fmt.Sprintf(number, x)
	}
	return strings.Join(all, separator)
}

// inLines returns a text with a line for each 16 bytes. format returns the line, given its index, its bytes, and the bytes as characters.
func inLines(b []byte, format func(i int, b []byte, characters string) string) string {
	var out strings.Builder
	for row := range slices.Chunk(b, 16) {
		out.WriteString(format(strings.Count(out.String(), "\n"), row, characters(row)) + "\n")
	}
	return out.String()
}

// prefixed returns a text with a line for each 16 bytes, between a prefix and a suffix. The index of the line replaces %02d in the prefix.
func prefixed(b []byte, prefix, number, separator, suffix string) string {
	return inLines(b, func(i int, row []byte, _ string) string {
		return strings.Replace(prefix, "%02d", fmt.Sprintf("%02d", i%60), 1) + joined(row, number, separator) + suffix
	})
}

// pythonLiteral returns the bytes as Python prints them.
func pythonLiteral(b []byte) string {
	var out strings.Builder
	for _, x := range b {
		switch {
		case x == '\r', x == '\n', x == '\t', x == '\\', x == '\'':
			out.WriteString(strings.TrimSuffix(strconv.QuoteRune(rune(x))[1:], "'"))
		case x < ' ' || x > '~':
			fmt.Fprintf(&out, `\x%02x`, x)
		default:
			out.WriteByte(x)
		}
	}
	return "b'" + out.String() + "'"
}

// TestBytesInText tests that telegrams are found in the kinds of text in which people post telegrams.
func TestBytesInText(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-nl-5", "kaifa-no"} {
		b := telegramsOf(t, family, 3)
		list, _ := json.Marshal(strings.Fields(joined(b, "%02X", " ")))
		for name, text := range map[string]string{
			"prose before":               "Hi, can you decode what I get from my meter?\n\n" + prefixed(b, "", "%02X", " ", ""),
			"prose before and after":     "Here it is:\n" + joined(b, "%02x", "") + "\nThanks a lot for a decade of help!\n",
			"prose in Latin-1":           "H\xe4r \xe4r den:\n" + joined(b, "%02x", "") + "\n",
			"a byte order mark":          "\ufeff" + joined(b, "%02X", " "),
			"a fence":                    "My data:\n\n```text\n" + prefixed(b, "", "%02X", " ", "") + "```\n\nregards\n",
			"HTML":                       "<pre>" + prefixed(b, "", "%02X", " ", "") + "</pre>",
			"a quotation":                prefixed(b, "> ", "%02X", " ", ""),
			"a table":                    prefixed(b, "| %02d | `", "%02X", " ", "` |"),
			"brackets":                   prefixed(b, "[", "%02X", " ", "]"),
			"prompts":                    "pi@raspberrypi:~ $ xxd -p telegram\n" + joined(b, "%02x", "") + "\npi@raspberrypi:~ $ ",
			"xxd -i":                     "unsigned char t_bin[] = {\n" + prefixed(b, "  ", "0x%02x", ", ", ",") + "};\nunsigned int t_bin_len = 1743;\n",
			"source code":                "const uint8_t t[] = {\n" + prefixed(b, "\t", "0x%X", ",", ",") + "};\n",
			"a log":                      prefixed(b, "[12:00:%02d] RX: ", "%02X", " ", ""),
			"a log with colons":          prefixed(b, "12:00:%02d.250 -> ", "%02X", ":", ""),
			"a log without separators":   prefixed(b, "2026-11-22 10:15:%02d.125 DEBUG received 16 bytes: ", "%02x", "", ""),
			"a log in colour":            prefixed(b, "\x1b[0;36m[10:11:%02d][D][uart_debug:114]: <<< ", "%02X", ":", " (16)\x1b[0m"),
			"a log of bytes after times": inLines(b, func(i int, b []byte, _ string) string { return fmt.Sprintf("[12:00:%02d] % x", i%60, string(b)) }),
			"a log with characters": inLines(b, func(i int, b []byte, s string) string {
				return fmt.Sprintf("12:00:%02d %s  |%s|", i%60, joined(b, "%02X", " "), s)
			}),
			"a packet view": inLines(b, func(i int, b []byte, s string) string {
				return fmt.Sprintf("%04x   %s   %s", i*16, joined(b, "%02x", " "), s)
			}),
			"numbered lines":             prefixed(b, "%02d: ", "%02X", " ", ""),
			"JSON":                       `{"id": 7, "payload": "` + joined(b, "%02x", "") + `"}`,
			"JSON lines":                 prefixed(b, `{"ts":17643213%02d,"data":"`, "%02X", "", `"}`),
			"JSON, a list of bytes":      string(list),
			"a buffer in decimal":        `{"type":"Buffer","data":[` + joined(b, "%d", ",") + "]}",
			"escapes":                    `"` + joined(b, `\x%02X`, "") + `"`,
			"Python literal":             pythonLiteral(b),
			"Python, one literal a read": inLines(b, func(_ int, b []byte, _ string) string { return "read: " + pythonLiteral(b) }),
			"a call":                     "bytes.fromhex('" + joined(b, "%02x", "") + "')",
			"assembler":                  joined(b, "%02Xh", " "),
			"dollars":                    joined(b, "$%02X", " "),
			"per cent":                   joined(b, "%%%02X", ""),
			"bars":                       joined(b, "%02X", "|"),
			"lines that end with CR LF":  strings.ReplaceAll(prefixed(b, "[12:00:%02d] RX: ", "%02X", " ", ""), "\n", "\r\n"),
		} {
			t.Run(family+" "+name, func(t *testing.T) {
				got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
				if err != nil || !bytes.Contains(got, b) {
					t.Errorf("got %d bytes %.40x…, error %v, want %d bytes %.40x…; the text:\n%.200s", len(got), got, err, len(b), b, text)
				}
			})
		}
	}
}

// TestBytesInTextUncertain tests that text is returned unchanged if it has no telegram with a valid checksum.
func TestBytesInTextUncertain(t *testing.T) {
	frame := telegramsOf(t, "aidon-se", 1)
	for _, tt := range []struct{ name, text string }{
		{"prose", "Hello there,\nmy meter sends nothing since the face lift, and I have no idea. What can be done? Greetings from Gävle\n"},
		{"a log without bytes", "2026-11-22 10:15:20 INFO started\n2026-11-22 10:15:21 INFO connected to 192.168.1.10:1883 as hanbridge-1a2b3c4d5e6f7a8b\n"},
		{"a list of times", "The times were " + strings.Repeat("10:11:12, 10:11:13, 10:11:14, 10:11:15, 10:11:16\n", 20)},
		{"a telegram with a missing byte", prefixed(frame[:100], "[12:00:%02d] RX: ", "%02X", " ", "") + prefixed(frame[101:], "[12:00:%02d] RX: ", "%02X", " ", "")},
		{"a telegram without a checksum, in lines of a log", prefixed([]byte("/ISK5\\2M550\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"), "[12:00:%02d] RX: ", "%02X", " ", "")},
		{"half a telegram", "Here: " + joined(frame[:200], "%02X", " ")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || string(got) != tt.text {
				t.Errorf("got %q, error %v, want the unchanged text", got, err)
			}
		})
	}
}

// TestBytesInTextWithoutChecksum tests that a telegram without a checksum is found if only line ends are between its bytes.
func TestBytesInTextWithoutChecksum(t *testing.T) {
	const telegram = "/ISK5\\2M550\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	for _, text := range []string{
		fmt.Sprintf(`{"raw":"%x"}`, telegram),
		"It sends:\n\n" + prefixed([]byte(telegram), "", "%02X", " ", "") + "\nthanks\n",
	} {
		got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
		if err != nil || string(got) != telegram {
			t.Errorf("got %q, error %v from %s, want %q", got, err, text, telegram)
		}
	}
}

// TestBytesOfTelegramWithoutWaiting tests that a P1 telegram, or a part of it, is returned before the recording ends, because it is not searched
// for bytes.
func TestBytesOfTelegramWithoutWaiting(t *testing.T) {
	for _, text := range []string{
		"/ADN9 6534\r\n\r\n0-0:96.1.1(4B384547303034303436333935353037)\r\n",
		"0-0:96.1.1(4B384547303034303436333935353037)\r\n",
		".1.1(4B384547303034303436333935353037)\r\n",
		"0034303436333935353037)\r\n0-0:96.13.0()\r\n",
		"0.0.0(12345678901234567890)\r\n",
	} {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, text) }() // the pipe stays open, so the recording does not end
		got := make([]byte, len(text))
		if _, err := io.ReadFull(capture.NewBytesReader(r), got); err != nil || string(got) != text {
			t.Errorf("got %q, error %v, want %q", got, err, text)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBytesInTextTooLong tests that the error for text of more than 16 MiB names xxd -p. A recording in the format of xxd -p has no limit.
func TestBytesInTextTooLong(t *testing.T) {
	text := prefixed(telegramsOf(t, "aidon-se", 1), "[12:00:%02d] RX: ", "%02X", " ", "")
	_, err := io.Copy(io.Discard, capture.NewBytesReader(io.MultiReader(strings.NewReader(text), io.LimitReader(zeros{}, 16<<20))))
	if err == nil || !strings.Contains(err.Error(), "xxd -p") {
		t.Errorf("got error %v, want an error with xxd -p", err)
	}
}

// zeros is an endless reader of "0 ".
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0 "), len(p)/2+1)), nil }
