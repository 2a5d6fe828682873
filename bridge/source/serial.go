package source

import (
	"errors"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"syscall"

	"go.bug.st/serial"
)

var parities = map[byte]serial.Parity{'N': serial.NoParity, 'E': serial.EvenParity, 'O': serial.OddParity}

// openSerial opens and locks the port at path with the setting l.
func openSerial(path string, l Line) (io.ReadCloser, error) {
	portLock, err := lock(path)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	stop := serial.OneStopBit
	if l.StopBits == 2 {
		stop = serial.TwoStopBits
	}
	port, err := serial.Open(path, &serial.Mode{BaudRate: l.Baud, DataBits: l.DataBits, Parity: parities[l.Parity], StopBits: stop})
	if err != nil {
		_ = portLock.Close() // an error does not matter because nothing was written
		return nil, explainOpen(path, err)
	}
	// Bytes that arrived earlier were possibly received with another setting. If the port cannot drop these bytes, Read returns them first.
	_ = port.ResetInputBuffer()
	return newWire(port, portLock), nil
}

// wire is an open port.
type wire struct {
	io.Reader
	close func() error // closes and unlocks the port
}

// newWire returns the wire of an open port. On Linux the wire reads from the file that lock has opened, which is the same port. The Read of the
// library uses select, and panics if the number of a file descriptor is 1024 or above.
func newWire(port serial.Port, lock io.ReadCloser) wire {
	var r io.Reader = port
	if runtime.GOOS == "linux" {
		r = lock
	}
	return wire{r, sync.OnceValue(func() error {
		err := port.Close()
		_ = lock.Close() // an error does not matter because nothing was written
		return err
	})}
}

// Close ends a blocked Read. A second Close waits until the first Close is done. When any Close returns, the port is free.
func (w wire) Close() error { return w.close() }

// Read reads from the port. If the cable was pulled, the port returns an end of file or EIO, and Read returns an error that asks for the
// cable. After Close, Read returns the same error, but no caller uses the error of such a Read.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	portErr := new(serial.PortError)
	isPulled := errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO)
	isClosed := errors.Is(err, fs.ErrClosed) || errors.As(err, &portErr) && portErr.Code() == serial.PortClosed
	if isPulled || isClosed {
		return n, errors.New("the port has gone (was the cable pulled?)")
	}
	return n, err
}
