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

// echo starts a server that sends back what it gets.
func echo(t *testing.T) string {
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

func dial(t *testing.T, p *faultnet.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// say sends a byte and waits at most d for its echo.
func say(c net.Conn, d time.Duration) error {
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	return hear(c, d)
}

func hear(c net.Conn, d time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(d))
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestHoldAndRelease(t *testing.T) {
	p := faultnet.New(t, echo(t))
	c := dial(t, p)
	if err := say(c, time.Minute); err != nil {
		t.Fatalf("a good network: %v", err)
	}
	p.Block()
	if err := say(c, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("held: got %v, want silence", err)
	}
	p.Unblock()
	if err := hear(c, time.Minute); err != nil {
		t.Fatalf("released: %v", err)
	}
}

func TestDelay(t *testing.T) {
	p := faultnet.New(t, echo(t))
	c := dial(t, p)
	p.Delay(30 * time.Millisecond)
	start := time.Now()
	if err := say(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("there and back took %v, want at least twice 30ms", took)
	}
}

func TestCut(t *testing.T) {
	p := faultnet.New(t, echo(t))
	c := dial(t, p)
	if err := say(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.ResetConnections()
	if err := hear(c, time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("cut: got %v, want a reset", err)
	}
	if err := say(dial(t, p), time.Minute); err != nil {
		t.Errorf("a connection after the cut: %v", err)
	}
}

func TestHalfClose(t *testing.T) {
	p := faultnet.New(t, echo(t))
	c := dial(t, p)
	if err := say(c, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.HalfClose()
	if err := hear(c, time.Minute); !errors.Is(err, io.EOF) {
		t.Fatalf("half closed: got %v, want %v", err, io.EOF)
	}
}
