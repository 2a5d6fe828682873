package p1_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// seeds adds telegrams of all forms, and damaged telegrams.
func seeds(f *testing.F) {
	f.Add(swedishTelegram())
	f.Add([]byte(withChecksum("/HLY5/D545-METER", "", "1-0:0.2.0((ER11))", "0-1:24.2.1(221101214520W)(00304.089*m3)")))
	f.Add([]byte("/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"))
	f.Add([]byte("\r\n/ABC5\r\n/ABC5\r\n!12\x80"))
	f.Add([]byte("/AAA" + strings.Repeat("0", 43) + "\xE800\x00" + strings.Repeat("0", 15))) // no line end before the zero byte
	f.Add([]byte("/\n!\n"))
	f.Add([]byte(withChecksum("/ABC5", "", "0-0:98.1.0", "(", "1-0:1.8.0(1*kWh)", ")", "F.F(0)", "(1)", "0-0:96.13.0(a", "b)", "1-0:99.1.0((1)", "2)")))
	f.Add([]byte("/ABC5\xE4\r\n\r\n\x021.8.0&01(1*m\xB3)\r\n1.8(\x00)\r\n!1"))
	f.Add([]byte("a/\n"))
	f.Add([]byte("/AAA0\n0.0()\n! \x02\t"))
	f.Add(p1.AppendEncrypted(swedishTelegram(), "EGM5G35", encryptedBody(60)))
	f.Add([]byte("/EGM5G35\r\n\r\n\x00\x82\x00\x06\x30abcdef!12\r\n/ABC5"))
	f.Add([]byte("/ABC3\r\n\r\n0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00908.123)\r\n!\r\n"))
	f.Add([]byte(withChecksum("/ABC5", "", "0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.3.0)(m3)", "(1)", "(2)", "1-0:1.7.0(1kW)", "0-1:24.2.1(m3)")))
}

// FuzzLength tests that a length is at most MaxLength and len(b), and that more bytes never change a length other than 0.
func FuzzLength(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append([]byte{'/'}, b...)
		framingtest.Final(t, p1.Length, b)
		if n := p1.Length(b); n > p1.MaxLength || n > len(b) {
			t.Fatalf("Length = %d, want at most MaxLength and %d", n, len(b))
		}
	})
}

// FuzzParse tests that Parse does not panic, empties the Telegram after an error, and returns at most one record for two bytes.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var got p1.Telegram
		if err := got.Parse(b); err != nil {
			if len(got.Records) > 0 || got.Ident != nil || got.Checked {
				t.Fatalf("the Telegram is not empty after the error %v", err)
			}
			return
		}
		if _, _, ok := p1.SplitEncrypted(b); ok {
			t.Fatal("Parse read an encrypted telegram")
		}
		if len(got.Records) > len(b)/len("x\n") {
			t.Fatalf("got %d records from %d bytes, want at most half as many", len(got.Records), len(b))
		}
		trimmed := bytes.TrimRight(b, " \t\r\n\x02")
		if hasChecksum := trimmed[len(trimmed)-1] != '!'; got.Checked != hasChecksum {
			t.Fatalf("got Checked %v for a telegram that ends with %q", got.Checked, b[max(0, len(b)-6):])
		}
	})
}

// FuzzSplitEncrypted tests that the telegram begins with head and body, in that order.
func FuzzSplitEncrypted(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		head, body, ok := p1.SplitEncrypted(b)
		if checked, err := p1.CheckEncrypted(b); !ok && (checked || err == nil) {
			t.Fatalf("CheckEncrypted = %v, %v; want an error, as SplitEncrypted found no encrypted telegram", checked, err)
		}
		if !ok {
			return
		}
		if !bytes.HasPrefix(b, append(bytes.Clone(head), body...)) || body[0] != 0 {
			t.Fatalf("%q and %q are not parts of %q", head, body, b)
		}
	})
}

// FuzzStripParity tests that adding the parity to the result gives the input up to the byte at which StripParity stopped.
func FuzzStripParity(f *testing.F) {
	f.Add(withParity(swedishTelegram()))
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := make([]byte, len(b))
		n := p1.StripParity(dst, b)
		if !bytes.Equal(withParity(dst[:n]), b[:n]) {
			t.Fatalf("got %q from %q", dst[:n], b[:n])
		}
	})
}
