package line_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// negotiations are the first bytes that gateways send. ser2net offers and requests the options suppress go ahead, echo and binary.
var negotiations = map[string]string{
	"ser2net":           "\xFF\xFB\x03\xFF\xFB\x01\xFF\xFD\x03\xFF\xFD\x01\xFF\xFB\x00\xFF\xFD\x00",
	"WONT and DONT":     "\xFF\xFC\x18\xFF\xFE\x1F",
	"COM port control":  "\xFF\xFD\x2C",
	"a subnegotiation":  "\xFF\xFB\x2C\xFF\xFA\x2C\x01SIG\xFF\xFF\xFF\xF0",
	"a single WILL":     "\xFF\xFB\x01",
	"line mode and NOP": "\xFF\xFD\x22\xFF\xF1",
}

// filtered returns the output of a TelnetFilter for a stream that arrives in chunks of n bytes, and the filter.
func filtered(in []byte, n int) (out []byte, f line.TelnetFilter) {
	for part := range slices.Chunk(in, n) {
		out = f.Append(out, part)
	}
	return out, f
}

// doubled returns b with each FF doubled.
func doubled(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF}) }

// TestTelnetFilter: the filter removes telnet from a stream that begins with a negotiation, and nothing from other streams.
func TestTelnetFilter(t *testing.T) {
	const (
		binaryMode = "\xFF\xFB\x00\xFF\xFD\x00" // WILL binary, DO binary
		textMode   = "\xFF\xFB\x03\xFF\xFD\x03" // WILL suppress go ahead, DO suppress go ahead
	)
	tests := []struct {
		kind, name, in, want string
		negotiated           bool // what Negotiated must return
	}{
		{"telnet", "only a negotiation", binaryMode, "", true},
		{"telnet", "FF doubled", binaryMode + "\x01\xFF\xFF\x02\xFF\xFF\xFF\xFF\x03", "\x01\xFF\x02\xFF\xFF\x03", true},
		{"telnet", "negotiation between bytes", binaryMode + "\x01\xFF\xFB\x2C\x02\xFF\xFD\x18\x03", "\x01\x02\x03", true},
		{"telnet", "subnegotiation between bytes", binaryMode + "\x01\xFF\xFA\x2C\x6A\xFF\xFF\x00\xFF\xF0\x02", "\x01\x02", true},
		{"telnet", "keep-alive commands", binaryMode + "\x01\xFF\xF1\x02\xFF\xF9\x03\xFF\xEF", "\x01\x02\x03", true},
		{"telnet", "NUL after CR is not removed", textMode + "\r\x00\r\n", "\r\x00\r\n", true},
		{"telnet", "negotiation of a single option", "\xFF\xFD\x2C/ABC5\r\n", "/ABC5\r\n", true},
		{"raw after a negotiation", "an FF that is not doubled", textMode + "\x01\xFF\x06\x02\xFF\xFF\x03", "\x01\xFF\x06\x02\xFF\xFF\x03", true},
		{"raw after a negotiation", "an option above 49", textMode + "\xFF\xFD\x80\xFF\xFF", "\xFF\xFD\x80\xFF\xFF", true},
		// The filter drops 128 bytes (maxSubnegotiation), the option and 127 of the x, then the byte that exceeds the limit.
		{"raw after a negotiation", "a subnegotiation without end", textMode + "\xFF\xFA\x2C" + strings.Repeat("x", 300), strings.Repeat("x", 172), true},
		{"raw", "no FF", "\x7E\xA0\x0E", "\x7E\xA0\x0E", false},
		{"raw", "commands after the first byte", "\x7E" + binaryMode + "\xFF\xFF\x06", "\x7E" + binaryMode + "\xFF\xFF\x06", false},
		{"raw", "FF FD of a value at the beginning", "\xFF\xFD\x02\x02\xFF\xFF", "\xFF\xFD\x02\x02\xFF\xFF", false},
		// FF FE 01 looks like a negotiation and is removed. The single FF of the OBIS code shows that the stream is not telnet.
		{"raw", "FF FE 01 of a value at the beginning, and a code", "\xFF\xFE\x01\x02\x01\x00\x01\x07\x00\xFF\x06\xFF\xFF", "\x02\x01\x00\x01\x07\x00\xFF\x06\xFF\xFF", false},
		{"raw", "FF at the beginning", "\xFF\xFF\xFF\xFF\x06", "\xFF\xFF\xFF\xFF\x06", false},
		{"raw", "a subnegotiation at the beginning", "\xFF\xFA\x00\x01\xFF\xF0\x02", "\xFF\xFA\x00\x01\xFF\xF0\x02", false},
		{"raw", "a command of two bytes at the beginning", "\xFF\xF1\x00\xFF\xFF", "\xFF\xF1\x00\xFF\xFF", false},
		{"truncated", "after the FF of a command", binaryMode + "\x01\xFF", "\x01", true},
		{"truncated", "in the first negotiation", "\xFF\xFB", "", false},
		{"truncated", "in a later negotiation", binaryMode + "\x01\xFF\xFD", "\x01", true},
	}
	for _, tt := range tests {
		t.Run(tt.kind+", "+tt.name, func(t *testing.T) {
			for n := 1; n <= len(tt.in); n++ {
				got, f := filtered([]byte(tt.in), n)
				if string(got) != tt.want || f.Negotiated() != tt.negotiated {
					t.Fatalf("in chunks of %d: got %q, negotiated %v, want %q, %v", n, got, f.Negotiated(), tt.want, tt.negotiated)
				}
			}
		})
	}
}

// TestTelnetRoundTrip: after any negotiation, the filter returns exactly the bytes that the meter sends.
func TestTelnetRoundTrip(t *testing.T) {
	for name, begin := range negotiations {
		rapid.Check(t, func(t *rapid.T) {
			b := rapid.SliceOf(rapid.SampledFrom([]byte{0, 1, 0x7E, 0xFB, 0xFD, 0xFF, 0xFF, 0xFF})).Draw(t, "bytes")
			in := append([]byte(begin), doubled(b)...)
			if got, f := filtered(in, rapid.IntRange(1, len(in)).Draw(t, "chunk")); !bytes.Equal(got, b) || !f.Negotiated() {
				t.Fatalf("%s: got %x, want %x", name, got, b)
			}
		})
	}
}

// TestTelnetInPlace: Append filters correctly if b and dst share an array, and b begins Pending bytes after the end of dst.
func TestTelnetInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x2C, 0xFA, 0xFB, 0xFD, 0xFF, 0xF0}), 1, 60).Draw(t, "bytes")
		in = append([]byte("\xFF\xFD\x2C"), in...)
		want, _ := filtered(in, 1)
		var f line.TelnetFilter
		buf := make([]byte, 2*len(in))
		end := 0
		for part := range slices.Chunk(in, rapid.IntRange(1, len(in)).Draw(t, "chunk")) {
			start := end + f.Pending()
			n := copy(buf[start:], part)
			end = len(f.Append(buf[:end], buf[start:start+n]))
		}
		if !bytes.Equal(buf[:end], want) {
			t.Fatalf("got %x, want %x", buf[:end], want)
		}
	})
}

// TestServices: the verdict recognises gateways in telnet mode, web servers and login prompts.
func TestServices(t *testing.T) {
	hdlc, text := slices.Concat(telegrams(t, "aidon-se", 3)...), slices.Concat(telegrams(t, "p1-se-aidon", 3)...)
	mbus := slices.Concat(telegrams(t, "kaifa-at", 3)...)
	slow := received(telegrams(t, "aidon-se", 1), settings[1], settings[0]) // sent at 2400 baud, read at 115200
	negotiation := negotiations["ser2net"]
	tests := []struct {
		kind, name, in string
		want           line.Verdict
	}{
		{"telnet", "HDLC", negotiation + string(doubled(hdlc)), line.Telnet},
		{"telnet", "P1", negotiation + string(text), line.Telnet},
		{"telnet", "only a negotiation", negotiation, line.Telnet},
		{"telnet", "HDLC that is not doubled", negotiation + string(hdlc), line.Telnet},
		{"telnet", "HDLC without its negotiation", string(doubled(hdlc)), line.Telnet},
		{"telnet", "with the line at another speed", negotiation + string(doubled(slow)), line.OtherBaud},
		{"no telnet", "HDLC", string(hdlc), line.FrameHeaders},
		{"no telnet", "HDLC after the end of a value, FF FE 01", "\xFF\xFE\x01" + string(hdlc), line.FrameHeaders},
		{"no telnet", "M-Bus", string(mbus), verdict(mbus)},
		{"web", "a response", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", line.WebServer},
		{"web", "a time-out", "HTTP/1.0 408 Request Time-out\r\n\r\n", line.WebServer},
		{"web", "a page", "\r\n<!DOCTYPE html><html><body>" + strings.Repeat("meter ", 50), line.WebServer},
		{"login", "login prompt after a negotiation", negotiation + "\r\nDebian GNU/Linux 12\r\n\r\nlogin: ", line.LoginPrompt},
		{"login", "password prompt", "\r\nPassword:", line.LoginPrompt},
		{"login", "a router", "\r\nUser Access Verification\r\n\r\nUsername: ", line.LoginPrompt},
		{"login", "SSH", "SSH-2.0-dropbear_2022.83\r\n", line.LoginPrompt},
	}
	for _, tt := range tests {
		t.Run(tt.kind+", "+tt.name, func(t *testing.T) {
			if got := verdict([]byte(tt.in)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
