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

// sendToPTY prints the name of a new pseudo-terminal, and sends the bytes of the wire to it. Programs open the terminal like a serial port.
func (s *sender) sendToPTY(ctx context.Context) error {
	control, port, err := pty.Open()
	if err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer control.Close()
	defer port.Close()
	err = makeRaw(port, s.line.Baud)
	if err == nil {
		err = unix.SetNonblock(int(control.Fd()), true) // so that closing control ends a Write that waits
	}
	if err != nil {
		return cli.DataError(fmt.Errorf("pty: %w", err))
	}
	defer context.AfterFunc(ctx, func() { _ = control.Close() })()
	fmt.Fprintf(s.Out, "meter on %s\n", port.Name())
	if err := s.write(ctx, &ptyWriter{control: control, port: port, line: s.line}); err != nil {
		return err
	}
	select { // closing a pseudo-terminal discards unread bytes, so a reader gets one more second
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return nil
}

// ptyWriter writes to the controlling side of a pseudo-terminal. Bytes that no program reads are lost, as on a real wire.
type ptyWriter struct {
	control, port *os.File // the two sides of the pseudo-terminal; programs open port
	line          simulate.LineSetting
	noReader      bool // a wait for a reader timed out, and no program has read since
	lastUnread    int  // number of unread bytes after the last write
}

// maxUnread limits the bytes that no program has read yet. It has room for a few telegrams, and is less than the buffer of a pseudo-terminal.
const maxUnread = 2048

// readerTimeout is how long a write waits for a program to read. If no program reads, only the first write waits so long.
const readerTimeout = time.Second

// Write sends b. A reader that has set another speed gets the bytes that its UART would receive.
func (w *ptyWriter) Write(b []byte) (int, error) {
	received := b
	if baud := baudOf(w.port); w.line.Baud > 0 && baud > 0 && baud != w.line.Baud {
		received = w.line.ReceivedBy(nil, b, simulate.LineSetting{Baud: baud, DataBits: 8, Parity: 'N', StopBits: 1})
		received = received[:min(len(received), maxUnread)] // a fast UART receives several bytes for each byte of a slow line, too many to send all
	}
	for chunk := range slices.Chunk(received, maxUnread) {
		w.makeRoom()
		wait := readerTimeout // how long the kernel can take to accept the bytes
		if w.noReader {
			wait = 20 * time.Millisecond // lost bytes do not matter, because no program reads
		}
		_ = w.control.SetWriteDeadline(time.Now().Add(wait)) // if this fails, Write fails too
		_, err := w.control.Write(chunk)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		w.noReader = w.noReader || err != nil
		w.lastUnread = w.unreadBytes()
	}
	return len(b), nil
}

// makeRoom waits until at most maxUnread bytes are unread. If no program reads, it discards the unread bytes.
func (w *ptyWriter) makeRoom() {
	// If fewer bytes are unread than after the last write, a program has read.
	w.noReader = w.noReader && w.unreadBytes() >= w.lastUnread
	for deadline := time.Now().Add(readerTimeout); w.unreadBytes() > maxUnread; <-time.After(time.Millisecond) {
		if w.noReader = w.noReader || time.Now().After(deadline); w.noReader {
			_ = unix.IoctlSetInt(int(w.port.Fd()), unix.TCFLSH, unix.TCIFLUSH)
		}
	}
}

// unreadBytes returns how many bytes no program has read yet.
func (w *ptyWriter) unreadBytes() int {
	n, err := unix.IoctlGetInt(int(w.port.Fd()), unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// baudOf returns the speed of a terminal in baud, or 0 if it is not known.
func baudOf(f *os.File) int {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(t.Ospeed)
}

// makeRaw puts the terminal into raw mode, in which it changes no bytes and does not echo. It sets the speed unless baud is 0.
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
