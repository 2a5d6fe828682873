package faultnet_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
)

// startEchoServer starts a server that sends each byte back to the client. It returns the address of the server.
func startEchoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// dial connects to the proxy.
func dial(t *testing.T, p *faultnet.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// echoByte sends a byte and waits until the server has sent it back, at most for timeout.
func echoByte(c net.Conn, timeout time.Duration) error {
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	return receiveByte(c, timeout)
}

// receiveByte waits at most for timeout until a byte arrives.
func receiveByte(c net.Conn, timeout time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// TestBlock tests that a byte does not arrive while the proxy is blocked, and that the byte arrives after Unblock.
func TestBlock(t *testing.T) {
	p := faultnet.New(t, startEchoServer(t))
	c := dial(t, p)
	if err := echoByte(c, time.Minute); err != nil {
		t.Fatalf("send and receive a byte before Block: %v", err)
	}
	p.Block()
	if err := echoByte(c, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("blocked: got error %v, want no byte within 50 ms", err)
	}
	p.Unblock()
	if err := receiveByte(c, time.Minute); err != nil {
		t.Fatalf("receive a byte after Unblock: %v", err)
	}
}

// TestDelay tests that a byte is delayed in both directions.
func TestDelay(t *testing.T) {
	p := faultnet.New(t, startEchoServer(t))
	c := dial(t, p)
	p.Delay(30 * time.Millisecond)
	start := time.Now()
	if err := echoByte(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("the round trip took %v, want at least twice 30ms", took)
	}
}

// TestResetConnections tests that open connections end with an error, and that new connections work.
func TestResetConnections(t *testing.T) {
	p := faultnet.New(t, startEchoServer(t))
	c := dial(t, p)
	if err := echoByte(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.ResetConnections()
	if err := receiveByte(c, time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got error %v, want a reset", err)
	}
	if err := echoByte(dial(t, p), time.Minute); err != nil {
		t.Errorf("send and receive a byte on a new connection: %v", err)
	}
}

// TestHalfClose tests that the client reads the end of the stream.
func TestHalfClose(t *testing.T) {
	p := faultnet.New(t, startEchoServer(t))
	c := dial(t, p)
	if err := echoByte(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.HalfClose()
	if err := receiveByte(c, time.Minute); !errors.Is(err, io.EOF) {
		t.Fatalf("half closed: got error %v, want %v", err, io.EOF)
	}
}
