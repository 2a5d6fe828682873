package capture_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/capture"
)

// TestBytes tests that the bytes of a recording in each form are returned. A recording that only resembles a form must not be changed.
func TestBytes(t *testing.T) {
	const frame = "\x7e\xa2\x43\x41\x08\x83\x13\x85\xeb"
	tests := []struct {
		name, in, want string
	}{
		{"empty", "", ""},
		{"lower case", "7ea2434108831385eb", frame},
		{"upper case", "7EA2434108831385EB", frame},
		{"white space between bytes", "7E A2 43\t41 08 83 13 85 EB", frame},
		{"white space between digits", "7 E\nA\r\n2434108831385EB", frame},
		{"lines that end with CR LF", "7EA24341\r\n08831385EB\r\n", frame},
		{"white space before the first byte", "\r\n  7EA2434108831385EB", frame},
		{"one digit too many", "7EA2434108831385EB4", frame},
		{"only white space", " \r\n", " \r\n"},
		{"16 digits, the minimum", "7EA2434108831385", frame[:8]},
		{"15 digits", "7EA243410883138", "7EA243410883138"},
		{"a P1 telegram", "/ADN9 6534\r\n\r\n!1234\r\n", "/ADN9 6534\r\n\r\n!1234\r\n"},
		{"the rest of a P1 telegram", "0000345.123*kWh)\r\n!1234\r\n", "0000345.123*kWh)\r\n!1234\r\n"},
		{"a frame", frame, frame},
		{"raw bytes after bytes of digits", "0123456789ABCDEF0123\x7e\xa2\x43", "0123456789ABCDEF0123\x7e\xa2\x43"},
		{"zeros", "\x00\x00", "\x00\x00"},
		{"as in source code", "0x7E, 0xA2, 0x43,\n0x41, 0x08, 0x83, 0x13, 0x85, 0xEB\n", frame},
		{"as in source code, lower case without blanks", "0x7e,0xa2,0x43,0x41,0x08,0x83,0x13,0x85,0xeb", frame},
		{"as in source code, bytes of one digit", "0x7E, 0xA2, 0x43, 0x41, 0x8, 0x83, 0x13, 0x85, 0xEB, 0x0, 0xF", frame + "\x00\x0f"},
		{"colons between bytes", "7E:A2:43:41:08:83:13:85:EB", frame},
		{"dashes between bytes", "7E-A2-43-41-08-83-13-85-EB\r\n", frame},
		{"points between bytes", "7E.A2.43.41.08.83.13.85.EB", frame},
		{"commas between bytes", "7E,A2,43,41,08,83,13,85,EB", frame},
		{"colons, one byte of one digit", "7E:A2:43:41:08:83:13:8:EB", "7E:A2:43:41:08:83:13:8:EB"},
		{"hexadecimal after a word", "raw: 7E A2 43 41 08 83 13 85 EB", "raw: 7E A2 43 41 08 83 13 85 EB"},
		{"OBIS codes and times", "11:22:33 1-0:1.8.0 00:11:22:33:44", "11:22:33 1-0:1.8.0 00:11:22:33:44"},
		{"too few bytes with 0x", "0x7E, 0xA2", "0x7E, 0xA2"},
		{"a capture", capture.FirstLinePrefix + "\n# line 2400 8E1\n2026-11-22T10:15:20.125+01:00 7ea24341\n\n2026-11-22T10:15:20.135+01:00 08831385eb\n", frame},
		{"a capture with CR LF", capture.FirstLinePrefix + "\r\n2026-11-22T10:15:20.125Z 7EA24341\r\n2026-11-22T10:15:20.135Z 08831385EB\r\n", frame},
		{"a capture without comments", "2026-11-22T10:15:20.125+01:00 7ea24341\n2026-11-22T10:15:20.135+01:00 08831385eb", frame},
		{"a telegram as Python prints it", `b'/ISK5\\2M550\r\n\r\n0-0:96.13.0(it\'s \x7e)\r\n!\r\n'`, "/ISK5\\2M550\r\n\r\n0-0:96.13.0(it's ~)\r\n!\r\n"},
		{"a string in source code, over several lines", "/ISK5\\2M550\\r\\n\\\r\n\\r\\n\\\n!\\r\\n\\", "/ISK5\\2M550\r\n\r\n!\r\n\\"},
		{"invalid escapes", `\r\n\r\n\x4\xzz\q`, "\r\n\r\n\\x4\\xzz\\q"},
		{"only one line end as an escape", "/ISK5\\r\\n", "/ISK5\\r\\n"},
		{"hexadecimal digits, other characters after the first 4096 bytes", "7EA2434108831385EB" + strings.Repeat(" ", 8192) + "4;3AF", frame + "\x3a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.in)))
			if err != nil || string(got) != tt.want {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestBytesReaderErrors tests that an error of the underlying reader is returned.
func TestBytesReaderErrors(t *testing.T) {
	for _, in := range []string{"7EA2434108831385EB", "/ADN9 6534"} {
		r := capture.NewBytesReader(iotest.DataErrReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(io.ErrUnexpectedEOF))))
		if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got error %v, want the error of the underlying reader", in, err)
		}
	}
}

// TestBytesReader tests that the reader follows the rules of io.Reader.
func TestBytesReader(t *testing.T) {
	want := bytes.Repeat([]byte("\x7e\x00\xff/"), 100)
	if err := iotest.TestReader(capture.NewBytesReader(strings.NewReader(hex.EncodeToString(want))), want); err != nil {
		t.Error(err)
	}
}

// TestBytesOfPipe tests that a byte is returned as soon as both its digits have arrived, for writes of any size.
func TestBytesOfPipe(t *testing.T) {
	steps := []struct{ write, want string }{
		{"7EA2 4341 0883 1385 E", "\x7e\xa2\x43\x41\x08\x83\x13\x85"},
		{"B", "\xeb"},
		{"E6\r\n", "\xe6"},
		{" \r\n", ""},
		{"E7 0", "\xe7"},
		{"0 0F", "\x00\x0f"},
	}
	r, w := io.Pipe()
	defer r.Close()
	got := make(chan byte, 100)
	go func() {
		in := capture.NewBytesReader(r)
		for buf := make([]byte, 16); ; {
			n, err := in.Read(buf)
			for _, x := range buf[:n] {
				got <- x
			}
			if err != nil {
				close(got)
				return
			}
		}
	}()
	for _, s := range steps {
		if _, err := io.WriteString(w, s.write); err != nil {
			t.Fatal(err)
		}
		for i := range len(s.want) {
			select {
			case x := <-got:
				if x != s.want[i] {
					t.Fatalf("after %q: got %02x, want %02x", s.write, x, s.want[i])
				}
			case <-time.After(time.Minute):
				t.Fatalf("after %q: byte %02x is not returned", s.write, s.want[i])
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if x, more := <-got; more {
		t.Errorf("got %02x at the end, want nothing", x)
	}
}
