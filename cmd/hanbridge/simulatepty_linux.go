package main

import (
	"context"
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// simulatePTY sends to a pseudo-terminal: a serial port that exists only in this machine. Its name is printed first.
func (p *program) simulatePTY(ctx context.Context, wire *simulatedWire, count int) error {
	control, port, err := pty.Open()
	if err != nil {
		return failure{fmt.Errorf("pty: %w", err), exitData}
	}
	defer control.Close()
	defer port.Close()
	if err := makeRaw(port); err != nil {
		return failure{fmt.Errorf("pty: %w", err), exitData}
	}
	fmt.Fprintf(p.out, "meter on %s\n", port.Name())
	return send(ctx, wire, &ptyWriter{control: control, port: port}, count)
}

// ptyWriter writes to the controlling side. What nobody reads is lost, as on a real wire.
type ptyWriter struct{ control, port *os.File }

// unread is how many bytes may wait for a reader: a few telegrams, less than what a pseudo-terminal holds.
const unread = 2048

// Write never blocks for want of a reader.
func (w *ptyWriter) Write(b []byte) (int, error) {
	if waiting, err := unix.IoctlGetInt(int(w.port.Fd()), unix.TIOCINQ); err == nil && waiting > unread {
		_ = unix.IoctlSetInt(int(w.port.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	}
	return w.control.Write(b)
}

// makeRaw keeps the terminal from changing bytes and from answering the meter with an echo.
func makeRaw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}
