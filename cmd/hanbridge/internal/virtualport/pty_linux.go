package virtualport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// toPTY sends to a pseudo-terminal: a serial port that exists only in this machine. Its name is printed first.
func (s *sender) toPTY(ctx context.Context) error {
	control, port, err := pty.Open()
	if err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer control.Close()
	defer port.Close()
	err = makeRaw(port, s.line.Baud)
	if err == nil {
		err = unix.SetNonblock(int(control.Fd()), true) // else a Write that waits in the kernel could not be ended
	}
	if err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer context.AfterFunc(ctx, func() { _ = control.Close() })()
	fmt.Fprintf(s.Out, "meter on %s\n", port.Name())
	if err := s.write(ctx, &ptyWriter{control: control, port: port, line: s.line}); err != nil {
		return err
	}
	select { // a pseudo-terminal forgets what was not read when it closes
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return nil
}

// ptyWriter writes to the controlling side. What nobody reads is lost, as on a real wire.
type ptyWriter struct {
	control, port *os.File
	line          simulate.LineSetting
	deaf          bool // a reader was waited for, and nobody has read since
	left          int  // bytes that waited for a reader after the last write
}

// unread is how many bytes may wait for a reader: a few telegrams, less than what a pseudo-terminal holds.
const unread = 2048

// patience is how long a reader who is behind is waited for: a busy machine may keep one from reading for a while. Where nobody
// reads, it is spent once.
const patience = time.Second

// Write gives a reader that has set another speed what a UART would hear.
func (w *ptyWriter) Write(b []byte) (int, error) {
	heard := b
	if baud := speedOf(w.port); w.line.Baud > 0 && baud > 0 && baud != w.line.Baud {
		heard = w.line.ReceivedBy(nil, b, simulate.LineSetting{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
		heard = heard[:min(len(heard), unread)] // a fast reader of a slow line hears many bytes in one
	}
	for piece := range slices.Chunk(heard, unread) {
		wait := patience // the kernel too may be behind
		if w.makeRoom(); w.deaf {
			wait = 20 * time.Millisecond
		}
		_ = w.control.SetWriteDeadline(time.Now().Add(wait)) // Write says what is wrong with it
		_, err := w.control.Write(piece)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		w.deaf = w.deaf || err != nil
		w.left = w.waiting()
	}
	return len(b), nil
}

// makeRoom waits until a reader has taken most of what waits, and throws it away where none does.
func (w *ptyWriter) makeRoom() {
	w.deaf = w.deaf && w.waiting() >= w.left
	for end := time.Now().Add(patience); w.waiting() > unread; <-time.After(time.Millisecond) {
		if w.deaf = w.deaf || time.Now().After(end); w.deaf {
			_ = unix.IoctlSetInt(int(w.port.Fd()), unix.TCFLSH, unix.TCIFLUSH)
		}
	}
}

// waiting is how many bytes wait for a reader.
func (w *ptyWriter) waiting() int {
	n, err := unix.IoctlGetInt(int(w.port.Fd()), unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
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
	fd := int(f.Fd())
	if _, err := term.MakeRaw(fd); err != nil || baud == 0 {
		return err
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Cflag = t.Cflag&^unix.CBAUD | unix.BOTHER
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	return unix.IoctlSetTermios(fd, unix.TCSETS2, t)
}
