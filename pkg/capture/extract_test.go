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

// telegramsOf returns telegrams of a family, one after the other.
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

// each writes bytes as numbers with something between them.
func each(b []byte, number, between string) string {
	all := make([]string, len(b))
	for i, x := range b {
		all[i] = fmt.Sprintf(number, x)
	}
	return strings.Join(all, between)
}

// lined writes 16 bytes a line: line is given the number of the line, its bytes, and the characters of these.
func lined(b []byte, line func(i int, b []byte, characters string) string) string {
	var out strings.Builder
	for row := range slices.Chunk(b, 16) {
		out.WriteString(line(strings.Count(out.String(), "\n"), row, characters(row)) + "\n")
	}
	return out.String()
}

// prefixed writes 16 bytes a line behind a text with the line's number.
func prefixed(b []byte, prefix, number, between, suffix string) string {
	return lined(b, func(i int, row []byte, _ string) string {
		return strings.Replace(prefix, "%02d", fmt.Sprintf("%02d", i%60), 1) + each(row, number, between) + suffix
	})
}

// literal writes bytes as Python prints them.
func literal(b []byte) string {
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

// TestBytesAmongText takes telegrams out of text in all the forms in which people keep and post them.
func TestBytesAmongText(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-nl-5", "kaifa-no"} {
		b := telegramsOf(t, family, 3)
		list, _ := json.Marshal(strings.Fields(each(b, "%02X", " ")))
		for name, text := range map[string]string{
			"prose before":     "Hi, can you decode what I get from my meter?\n\n" + prefixed(b, "", "%02X", " ", ""),
			"prose around":     "Here it is:\n" + each(b, "%02x", "") + "\nThanks a lot for a decade of help!\n",
			"prose in Latin-1": "H\xe4r \xe4r den:\n" + each(b, "%02x", "") + "\n",
			"a mark of UTF-8":  "\ufeff" + each(b, "%02X", " "),
			"a fence":          "My data:\n\n```text\n" + prefixed(b, "", "%02X", " ", "") + "```\n\nregards\n",
			"HTML":             "<pre>" + prefixed(b, "", "%02X", " ", "") + "</pre>",
			"a quotation":      prefixed(b, "> ", "%02X", " ", ""),
			"a table":          prefixed(b, "| %02d | `", "%02X", " ", "` |"),
			"brackets":         prefixed(b, "[", "%02X", " ", "]"),
			"prompts":          "pi@raspberrypi:~ $ xxd -p telegram\n" + each(b, "%02x", "") + "\npi@raspberrypi:~ $ ",
			"xxd -i":           "unsigned char t_bin[] = {\n" + prefixed(b, "  ", "0x%02x", ", ", ",") + "};\nunsigned int t_bin_len = 1743;\n",
			"a program":        "const uint8_t t[] = {\n" + prefixed(b, "\t", "0x%X", ",", ",") + "};\n",
			"a log":            prefixed(b, "[12:00:%02d] RX: ", "%02X", " ", ""),
			"a log of colons":  prefixed(b, "12:00:%02d.250 -> ", "%02X", ":", ""),
			"a log of digits":  prefixed(b, "2026-11-22 10:15:%02d.125 DEBUG received 16 bytes: ", "%02x", "", ""),
			"a log in colour":  prefixed(b, "\x1b[0;36m[10:11:%02d][D][uart_debug:114]: <<< ", "%02X", ":", " (16)\x1b[0m"),
			"a log of pairs":   lined(b, func(i int, b []byte, _ string) string { return fmt.Sprintf("[12:00:%02d] % x", i%60, string(b)) }),
			"a log with characters": lined(b, func(i int, b []byte, s string) string {
				return fmt.Sprintf("12:00:%02d %s  |%s|", i%60, each(b, "%02X", " "), s)
			}),
			"a window of packets": lined(b, func(i int, b []byte, s string) string {
				return fmt.Sprintf("%04x   %s   %s", i*16, each(b, "%02x", " "), s)
			}),
			"numbered lines":        prefixed(b, "%02d: ", "%02X", " ", ""),
			"JSON":                  `{"id": 7, "payload": "` + each(b, "%02x", "") + `"}`,
			"JSON a line":           prefixed(b, `{"ts":17643213%02d,"data":"`, "%02X", "", `"}`),
			"JSON, a list of bytes": string(list),
			"a buffer in decimal":   `{"type":"Buffer","data":[` + each(b, "%d", ",") + "]}",
			"escapes":               `"` + each(b, `\x%02X`, "") + `"`,
			"Python":                literal(b),
			"Python, reads":         lined(b, func(_ int, b []byte, _ string) string { return "read: " + literal(b) }),
			"a call":                "bytes.fromhex('" + each(b, "%02x", "") + "')",
			"of an assembler":       each(b, "%02Xh", " "),
			"dollars":               each(b, "$%02X", " "),
			"per cent":              each(b, "%%%02X", ""),
			"bars":                  each(b, "%02X", "|"),
			"lines of Windows":      strings.ReplaceAll(prefixed(b, "[12:00:%02d] RX: ", "%02X", " ", ""), "\n", "\r\n"),
		} {
			t.Run(family+" "+name, func(t *testing.T) {
				got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
				if err != nil || !bytes.Contains(got, b) {
					t.Errorf("got %d bytes %.40x…, %v, want %d bytes %.40x…; of\n%.200s", len(got), got, err, len(b), b, text)
				}
			})
		}
	}
}

// TestBytesAmongTextUncertain leaves text alone in which no telegram is proved: a byte that was left out, or that is none of the
// meter's, would not be noticed.
func TestBytesAmongTextUncertain(t *testing.T) {
	frame := telegramsOf(t, "aidon-se", 1)
	for _, tt := range []struct{ name, text string }{
		{"prose", "Hello there,\nmy meter sends nothing since the face lift, and I have no idea. What can be done? Greetings from Gävle\n"},
		{"a log without bytes", "2026-11-22 10:15:20 INFO started\n2026-11-22 10:15:21 INFO connected to 192.168.1.10:1883 as hanbridge-1a2b3c4d5e6f7a8b\n"},
		{"a list of times", "The times were " + strings.Repeat("10:11:12, 10:11:13, 10:11:14, 10:11:15, 10:11:16\n", 20)},
		{"a byte missing", prefixed(frame[:100], "[12:00:%02d] RX: ", "%02X", " ", "") + prefixed(frame[101:], "[12:00:%02d] RX: ", "%02X", " ", "")},
		{"no checksum, line by line", prefixed([]byte("/ISK5\\2M550\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"), "[12:00:%02d] RX: ", "%02X", " ", "")},
		{"half a telegram", "Here: " + each(frame[:200], "%02X", " ")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || string(got) != tt.text {
				t.Errorf("got %q, %v, want the text itself", got, err)
			}
		})
	}
}

// TestBytesAmongTextWhole takes a telegram without a checksum where nothing stands between its bytes.
func TestBytesAmongTextWhole(t *testing.T) {
	const telegram = "/ISK5\\2M550\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	for _, text := range []string{
		fmt.Sprintf(`{"raw":"%x"}`, telegram),
		"It sends:\n\n" + prefixed([]byte(telegram), "", "%02X", " ", "") + "\nthanks\n",
	} {
		got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
		if err != nil || string(got) != telegram {
			t.Errorf("got %q, %v of %s", got, err, text)
		}
	}
}

// TestBytesOfATelegramAreNotKeptBack: text that is a telegram, from wherever it begins, is not searched for bytes.
func TestBytesOfATelegramAreNotKeptBack(t *testing.T) {
	for _, first := range []string{
		"/ADN9 6534\r\n\r\n0-0:96.1.1(4B384547303034303436333935353037)\r\n",
		"0-0:96.1.1(4B384547303034303436333935353037)\r\n",
		".1.1(4B384547303034303436333935353037)\r\n",
		"0034303436333935353037)\r\n0-0:96.13.0()\r\n",
		"0.0.0(12345678901234567890)\r\n",
	} {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, first) }() // until the reader is closed
		got := make([]byte, len(first))
		if _, err := io.ReadFull(capture.NewBytesReader(r), got); err != nil || string(got) != first {
			t.Errorf("got %q, %v, want %q", got, err, first)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBytesAmongTooMuchText tells that not all of it was read, instead of leaving out the rest in silence.
func TestBytesAmongTooMuchText(t *testing.T) {
	text := prefixed(telegramsOf(t, "aidon-se", 1), "[12:00:%02d] RX: ", "%02X", " ", "")
	_, err := io.Copy(io.Discard, capture.NewBytesReader(io.MultiReader(strings.NewReader(text), io.LimitReader(zeros{}, 16<<20))))
	if err == nil || !strings.Contains(err.Error(), "xxd -p") {
		t.Errorf("got error %v, want one that says how to write so many bytes", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0 "), len(p)/2+1)), nil }
