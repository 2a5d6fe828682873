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
	served := make(chan net.Conn, 2)
	go func() {
		for range 2 {
			if c, err := listener.Accept(); err == nil {
				_, _ = c.Write(everyByte) // an error shows in the test as missing bytes
				served <- c
			}
		}
	}()
	s := source.TCP(address)
	if got := onlyEndpoint(t, s).Port; got != "tcp://"+address || s.Recorded || s.EndpointsChange {
		t.Errorf("got %q, recorded %v, changing %v, want tcp://%s, false, false", got, s.Recorded, s.EndpointsChange, address)
	}

	wire := open(t, onlyEndpoint(t, s))
	expectBytes(t, wire, everyByte)
	checkCloseEndsRead(t, wire)

	wire = open(t, onlyEndpoint(t, s))
	expectBytes(t, wire, everyByte)
	<-served
	if err := (<-served).Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := wire.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the other end has closed: got %d bytes, %v, want io.EOF", n, err)
	}
}

func TestTCPWithNobodyThere(t *testing.T) {
	const address = "127.0.0.1:1" // a port on which nothing listens
	_, err := onlyEndpoint(t, source.TCP(address)).Dial(t.Context())
	if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "nothing listens on this port") {
		t.Errorf("got %v, want the address and what to look at", err)
	}
}

// TestReplay tests that a recording is read in each form.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"binary": "\x7e\xa2\x43\x41\x08\x83\x13\x85", "hex": "7EA24341\n08831385\n"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := source.Replay(path)
		if !s.Recorded || onlyEndpoint(t, s).Port != path {
			t.Errorf("%s: recorded %v at %q, want true at %q", name, s.Recorded, onlyEndpoint(t, s).Port, path)
		}
		wire := open(t, onlyEndpoint(t, s))
		got, err := io.ReadAll(wire)
		if err != nil || string(got) != "\x7e\xa2\x43\x41\x08\x83\x13\x85" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if err := wire.Close(); err != nil {
			t.Error(err)
		}
	}
	missing := filepath.Join(dir, "missing")
	if _, err := onlyEndpoint(t, source.Replay(missing)).Dial(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: got %v, want an error that names the file", err)
	}
}

// checkCloseEndsRead checks that Close ends a blocked Read. The bridge has no other way to stop reading.
func checkCloseEndsRead(t *testing.T, wire io.ReadCloser) {
	t.Helper()
	reads, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(reads)
		_, err := wire.Read(make([]byte, 1))
		done <- err
	}()
	<-reads
	if err := wire.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("got no error of the Read that Close has ended")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("Close does not end a Read")
	}
	if err := wire.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
}
