package source_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

func endpoints(t *testing.T, s probe.Source) []probe.Endpoint {
	t.Helper()
	all, err := s.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// onlyEndpoint returns the endpoint of a source that must have exactly one.
func onlyEndpoint(t *testing.T, s probe.Source) probe.Endpoint {
	t.Helper()
	all := endpoints(t, s)
	if len(all) != 1 {
		t.Fatalf("got %d endpoints, want 1", len(all))
	}
	return all[0]
}

// everyByte has all byte values. It begins with bytes that a terminal interprets, such as line ends and Ctrl-C.
var everyByte = func() []byte {
	b := []byte{0x0A, 0x0D, 0x11, 0x13, 0xFF, 0x00, 0x03, 0x04, 0x1A, 0x7F, 0xFF, 0xFF, 0x0D, 0x0A}
	for x := range 256 {
		b = append(b, byte(x))
	}
	return b
}()

// open opens a wire, which is closed when the test ends.
func open(t *testing.T, e probe.Endpoint) io.ReadCloser {
	t.Helper()
	wire, err := e.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wire.Close() }) // an error means that the test has already closed the wire
	return wire
}

// expectBytes checks that the next bytes of the wire are want.
func expectBytes(t *testing.T, wire io.Reader, want []byte) {
	t.Helper()
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		b := make([]byte, len(want))
		n, err := io.ReadFull(wire, b)
		done <- result{b[:n], err}
	}()
	select {
	case got := <-done:
		if got.err != nil || !bytes.Equal(got.b, want) {
			t.Fatalf("got bytes %x, error %v\nwant bytes %x", got.b, got.err, want)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("fewer than %d bytes have arrived in 2 minutes", len(want))
	}
}
