package main_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

var ptyName = regexp.MustCompile(`meter on (\S+)\n`)

// TestPTYSpeed: a reader that sets another speed than the meter's hears no telegram; at the meter's own, and as long as
// nobody has set one, it does.
func TestPTYSpeed(t *testing.T) {
	p := launch(t, nil, buildProgram(t), "simulate", "--family", "kamstrup-no1", "--to", "pty", "--speed", "1000")
	p.awaits(10*time.Second, "meter on ")
	port, err := os.OpenFile(ptyName.FindStringSubmatch(p.said())[1], os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if !hears(t, port) {
		t.Error("nothing heard at the speed that the pty has at first")
	}
	setSpeed(t, port, 9600)
	if hears(t, port) {
		t.Error("a telegram heard at 9600 baud, sent at 2400")
	}
	setSpeed(t, port, 2400)
	if !hears(t, port) {
		t.Error("nothing heard at 2400 baud")
	}
}

// setSpeed also throws away what came before.
func setSpeed(t *testing.T, f *os.File, baud uint32) {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		t.Fatal(err)
	}
	s.Cflag = s.Cflag&^unix.CBAUD | unix.BOTHER
	s.Ispeed, s.Ospeed = baud, baud
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSF2, s); err != nil {
		t.Fatal(err)
	}
}

// hears reads some telegrams' worth of bytes, and tells if a whole one is in them. One that was sent before the speed was set
// may still come first.
func hears(t *testing.T, f *os.File) bool {
	t.Helper()
	b := make([]byte, 0, 4000)
	for len(b) < 3000 {
		n, err := f.Read(b[len(b):cap(b)])
		if err != nil {
			t.Fatal(err)
		}
		b = b[:len(b)+n]
	}
	d := meter.NewDecoder(bytes.NewReader(b[600:]))
	for {
		_, err := d.Next()
		var damaged *meter.TelegramError
		if err == nil || !errors.As(err, &damaged) {
			return err == nil
		}
	}
}
