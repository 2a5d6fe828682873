//go:build linux

package meter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// ptyLine matches the line in which the command replay prints the path of its pseudo-terminal.
var ptyLine = regexp.MustCompile(`meter on (\S+)\n`)

// TestPTYSpeed tests that a reader receives telegrams before it sets a speed and at the meter's speed of 2400 baud, but not at 9600 baud.
func TestPTYSpeed(t *testing.T) {
	t.Parallel()
	_, name := testbed.Simulate(t, "--family", "kamstrup-no1", "--to", "pty", "--speed", "1000")
	port, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	// Each step is repeated, because bytes that were sent earlier can arrive first.
	testbed.Until(t, "a telegram before a speed is set", func() bool { return receivesTelegram(t, port) })
	setSpeed(t, port, 9600)
	testbed.Until(t, "no telegram at 9600 baud", func() bool { return !receivesTelegram(t, port) })
	setSpeed(t, port, 2400)
	testbed.Until(t, "a telegram at 2400 baud", func() bool { return receivesTelegram(t, port) })
}

// TestReplayPTYWithoutReader tests that a replay of many bytes ends although no program reads the pseudo-terminal.
func TestReplayPTYWithoutReader(t *testing.T) {
	t.Parallel()
	recording := filepath.Join(t.TempDir(), "recording")
	if err := os.WriteFile(recording, bytes.Repeat([]byte("1-0:1.7.0(0001.234*kW)\r\n"), 80_000), 0o644); err != nil {
		t.Fatal(err)
	}
	testbed.Hanbridge(t, nil, "replay", recording, "--to", "pty", "--speed", "0").RequireSuccess()
}

// TestReplayPTYLongRead tests that all bytes of a long chunk arrive at a reader. Without a reader the replay must end.
func TestReplayPTYLongRead(t *testing.T) {
	t.Parallel()
	const longChunk = 30_000 // bytes
	recording := filepath.Join(t.TempDir(), "recording")
	// A recording of one byte, the long chunk after a second, and the long chunk again after an hour.
	text := fmt.Sprintf("2026-11-22T10:15:20Z 2f\n2026-11-22T10:15:21Z %s\n2026-11-22T11:15:20Z %[1]s\n", strings.Repeat("41", longChunk))
	if err := os.WriteFile(recording, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := testbed.Hanbridge(t, nil, "replay", recording, "--to", "pty")
	p.AwaitOutput("meter on ")
	port, err := os.OpenFile(ptyLine.FindStringSubmatch(p.Output())[1], os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(port, make([]byte, 1+longChunk)); err != nil {
		t.Errorf("got %d bytes and error %v, want %d bytes", n, err, 1+longChunk)
	}
	p.Stop(unix.SIGINT)

	withoutReader := testbed.Hanbridge(t, nil, "replay", recording, "--to", "pty", "--speed", "100000")
	withoutReader.AwaitOutput("meter on ")
	withoutReader.RequireSuccess()
}

// TestReplayInputStopped tests that one signal ends a replay that waits for input.
func TestReplayInputStopped(t *testing.T) {
	t.Parallel()
	// The input is a pipe with the first line of a recording. The input does not end, because descriptor 3 keeps the pipe open.
	const script = `mkfifo input && exec 3<>input && echo "$1" >&3 && exec "$0" replay - --to pty <&3`
	p := testbed.Launch(t, nil, "sh", "-c", script, testbed.Program(t), capture.FirstLinePrefix)
	p.AwaitOutput("meter on ")
	p.Signal(unix.SIGTERM)
	p.ExitCode()
}

// setSpeed sets the speed of a terminal, and discards the bytes that arrived before.
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

// receivesTelegram reads at least 3000 bytes, which are several telegrams, and reports whether these bytes contain an intact telegram.
func receivesTelegram(t *testing.T, f *os.File) bool {
	t.Helper()
	b := make([]byte, 0, 4000)
	for len(b) < 3000 {
		n, err := f.Read(b[len(b):cap(b)])
		if err != nil {
			t.Fatal(err)
		}
		b = b[:len(b)+n]
	}
	d := meter.NewDecoder(bytes.NewReader(b), meter.Options{})
	for {
		_, err := d.Next()
		var damaged *meter.TelegramError
		if !errors.As(err, &damaged) { // damaged telegrams are skipped
			return err == nil
		}
	}
}
