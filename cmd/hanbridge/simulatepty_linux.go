package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatePTY sends to a pseudo-terminal, to be read at any speed.
func (p *program) simulatePTY(ctx context.Context, wire io.ReadCloser, count int) error {
	return p.sendToPTY(ctx, wire, simulate.Wire{}, count)
}

// sendToPTY sends to a pseudo-terminal: a serial port that exists only in this machine. Its name is printed first. line is
// how the sender is set; the zero Wire is heard at any speed.
func (p *program) sendToPTY(ctx context.Context, wire io.ReadCloser, line simulate.Wire, count int) error {
	control, port, err := pty.Open()
	if err != nil {
		return failure{fmt.Errorf("pty: %w", err), exitData}
	}
	defer control.Close()
	defer port.Close()
	if err := makeRaw(port, line.Baud); err != nil {
		return failure{fmt.Errorf("pty: %w", err), exitData}
	}
	fmt.Fprintf(p.out, "meter on %s\n", port.Name())
	return send(ctx, wire, &ptyWriter{control: control, port: port, line: line}, count)
}

// ptyWriter writes to the controlling side. What nobody reads is lost, as on a real wire.
type ptyWriter struct {
	control, port *os.File
	line          simulate.Wire
	heard         []byte
}

// unread is how many bytes may wait for a reader: a few telegrams, less than what a pseudo-terminal holds.
const unread = 2048

// Write never blocks for want of a reader. One that has set another speed gets what a UART would hear.
func (w *ptyWriter) Write(b []byte) (int, error) {
	if waiting, err := unix.IoctlGetInt(int(w.port.Fd()), unix.TIOCINQ); err == nil && waiting > unread {
		_ = unix.IoctlSetInt(int(w.port.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	}
	heard := b
	if baud := speedOf(w.port); w.line.Baud > 0 && baud > 0 && baud != w.line.Baud {
		w.heard = w.line.Heard(w.heard[:0], b, simulate.Wire{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
		heard = w.heard[:min(len(w.heard), unread)] // a fast reader of a slow line hears many bytes in one
	}
	if _, err := w.control.Write(heard); err != nil {
		return 0, err
	}
	return len(b), nil
}

// speedOf returns the baud to which a terminal is set, 0 where that cannot be told.
func speedOf(f *os.File) int {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(t.Ospeed)
}

// makeRaw keeps the terminal from changing bytes and from answering the meter with an echo, and sets its speed, if that is
// not 0.
func makeRaw(f *os.File, baud int) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if baud > 0 {
		t.Cflag = t.Cflag&^unix.CBAUD | unix.BOTHER
		t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	}
	t.Cflag |= unix.CS8 | unix.CREAD | unix.CLOCAL
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS2, t)
}
