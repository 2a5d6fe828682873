package virtualport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatePTY sends to a pseudo-terminal, to be read at any speed.
func simulatePTY(ctx context.Context, p *cli.Program, wire io.ReadCloser, count int) error {
	return sendToPTY(ctx, p, wire, simulate.Wire{}, count)
}

// sendToPTY sends to a pseudo-terminal: a serial port that exists only in this machine. Its name is printed first. line is
// how the sender is set; the zero Wire is heard at any speed.
func sendToPTY(ctx context.Context, p *cli.Program, wire io.ReadCloser, line simulate.Wire, count int) error {
	control, port, err := pty.Open()
	if err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer control.Close()
	defer port.Close()
	if err := makeRaw(port, line.Baud); err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	if err := unix.SetNonblock(int(control.Fd()), true); err != nil { // else a Write that waits in the kernel could not be ended
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer context.AfterFunc(ctx, func() { _ = control.Close() })()
	fmt.Fprintf(p.Out, "meter on %s\n", port.Name())
	return send(ctx, wire, &ptyWriter{control: control, port: port, line: line}, count)
}

// ptyWriter writes to the controlling side. What nobody reads is lost, as on a real wire.
type ptyWriter struct {
	control, port *os.File
	line          simulate.Wire
	heard         []byte
	deaf          bool // a reader was waited for, and nobody has read since
	left          int  // bytes that waited for a reader after the last Write
}

// unread is how many bytes may wait for a reader: a few telegrams, less than what a pseudo-terminal holds.
const unread = 2048

// patience is how long a reader who is behind is waited for, in the midst of what came as one piece: a busy machine may keep one
// from reading for a while. Where nobody reads, it is spent once.
const patience = time.Second

// Write waits once, and no more than a second, for want of a reader. One that has set another speed gets what a UART would hear.
func (w *ptyWriter) Write(b []byte) (int, error) {
	heard := b
	if baud := speedOf(w.port); w.line.Baud > 0 && baud > 0 && baud != w.line.Baud {
		w.heard = w.line.Heard(w.heard[:0], b, simulate.Wire{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
		heard = w.heard[:min(len(w.heard), unread)] // a fast reader of a slow line hears many bytes in one
	}
	w.deaf = w.deaf && w.waiting() >= w.left
	w.flush()
	for piece := range slices.Chunk(heard, unread) {
		wait := patience // the kernel too may be behind
		if w.deaf = w.deaf || !w.drains(); w.deaf {
			w.flush()
			wait = 20 * time.Millisecond
		}
		_ = w.control.SetWriteDeadline(time.Now().Add(wait)) // Write says what is wrong with it
		_, err := w.control.Write(piece)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		w.deaf = w.deaf || err != nil
	}
	w.left = w.waiting()
	return len(b), nil
}

// waiting is how many bytes wait for a reader.
func (w *ptyWriter) waiting() int {
	n, err := unix.IoctlGetInt(int(w.port.Fd()), unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// flush throws away what waits, if it is too much.
func (w *ptyWriter) flush() {
	if w.waiting() > unread {
		_ = unix.IoctlSetInt(int(w.port.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	}
}

// drains tells if a reader takes what waits, in a moment.
func (w *ptyWriter) drains() bool {
	for end := time.Now().Add(patience); w.waiting() > unread; {
		if time.Now().After(end) {
			return false
		}
		<-time.After(time.Millisecond)
	}
	return true
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
