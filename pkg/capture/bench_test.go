package capture_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/capture"
)

// BenchmarkBytes reads the forms that long recordings have.
func BenchmarkBytes(b *testing.B) {
	raw := bytes.Repeat([]byte("\x7e\xa2\x43\x41\x08\x83\x13\x85\xeb\xe6\xe7\x00\x0f\x40\x00\x7e"), 1<<20)
	forms := []struct {
		name string
		text []byte
	}{
		{"raw", raw},
		{"hexadecimal", []byte(hex.EncodeToString(raw))},
		{"hexadecimal, blanks", fmt.Appendf(nil, "% x", raw)},
		{"as in source code", fmt.Appendf(nil, "%# x", raw)},
		{"escapes", bytes.Repeat([]byte(`1-0:1.7.0(0000.345*kW)\r\n`), 1<<19)},
	}
	chunk, text := capture.Chunk{}, []byte(capture.FirstLinePrefix+"\n")
	for chunk.Bytes = range slices.Chunk(raw, 64) {
		text = chunk.Append(text)
	}
	forms = append(forms, struct {
		name string
		text []byte
	}{"capture", text})
	for _, form := range forms {
		b.Run(form.name, func(b *testing.B) {
			b.SetBytes(int64(len(form.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.Copy(io.Discard, capture.NewBytesReader(bytes.NewReader(form.text))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
