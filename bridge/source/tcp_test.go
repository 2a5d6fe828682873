package source_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// TestTCP tests that a TCP source reads all bytes, that Close ends a Read, and that the end of the connection is io.EOF.
func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	served := make(chan net.Conn, 2) // the other ends of the two connections
	go func() {
		for range 2 {
			if c, err := listener.Accept(); err == nil {
				_, _ = c.Write(everyByte) // after an error, expectBytes reports the missing bytes
				served <- c
			}
		}
	}()
	s := source.TCP(address)
	if got := onlyEndpoint(t, s).Port; got != "tcp://"+address || s.Recorded || s.EndpointsChange {
		t.Errorf("got port %q, Recorded %v, EndpointsChange %v, want tcp://%s, false, false", got, s.Recorded, s.EndpointsChange, address)
	}

	wire := open(t, onlyEndpoint(t, s))
	expectBytes(t, wire, everyByte)
	checkCloseEndsRead(t, wire)

	wire = open(t, onlyEndpoint(t, s))
	expectBytes(t, wire, everyByte)
	<-served // the first connection
	if err := (<-served).Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := wire.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read after the other end has closed: got %d bytes, error %v, want io.EOF", n, err)
	}
}

// TestTCPWithNobodyThere tests that the error for an address at which nothing listens has the address and advice.
func TestTCPWithNobodyThere(t *testing.T) {
	const address = "127.0.0.1:1" // a port on which nothing listens
	_, err := onlyEndpoint(t, source.TCP(address)).Dial(t.Context())
	if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "nothing listens on this port") {
		t.Errorf("got error %v, want the address and that nothing listens", err)
	}
}

// TestReplay tests that Replay reads recordings in binary and in hex form.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	const binary, hex = "\x7e\xa2\x43\x41\x08\x83\x13\x85", "7EA24341\n08831385\n" // the beginning of an HDLC frame
	for name, content := range map[string]string{"binary": binary, "hex": hex} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := source.Replay(path)
		if !s.Recorded || onlyEndpoint(t, s).Port != path {
			t.Errorf("%s: got Recorded %v and port %q, want true and %q", name, s.Recorded, onlyEndpoint(t, s).Port, path)
		}
		wire := open(t, onlyEndpoint(t, s))
		got, err := io.ReadAll(wire)
		if err != nil || string(got) != binary {
			t.Errorf("%s: got %q, error %v, want %q", name, got, err, binary)
		}
		if err := wire.Close(); err != nil {
			t.Error(err)
		}
	}
	missing := filepath.Join(dir, "missing")
	if _, err := onlyEndpoint(t, source.Replay(missing)).Dial(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: got error %v, want os.ErrNotExist with the path", err)
	}
}

// checkCloseEndsRead checks that Close ends a blocked Read. The bridge has no other way to stop reading.
func checkCloseEndsRead(t *testing.T, wire io.ReadCloser) {
	t.Helper()
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(begun)
		_, err := wire.Read(make([]byte, 1))
		done <- err
	}()
	<-begun
	if err := wire.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("Read that Close has ended: got no error")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("Read still blocks 2 minutes after Close")
	}
	if err := wire.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: got error %v, want nil or net.ErrClosed", err)
	}
}
