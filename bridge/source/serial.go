package source

import (
	"errors"
	"io"
	"io/fs"
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
	reader, err := newPortReader(port, portLock)
	if err != nil {
		_, _ = port.Close(), portLock.Close() // errors do not matter because nothing was written
		return nil, explainOpen(path, err)
	}
	return newWire(reader, port, portLock, l), nil
}

// wire is an open port.
type wire struct {
	io.Reader
	close func() error // closes and unlocks the port
}

// newWire returns the wire of an open port with the setting l. Closing the wire closes reader, port and lock, in this order.
func newWire(reader io.ReadCloser, port, lock io.Closer, l Line) wire {
	closed := make(chan struct{})
	return wire{newPacedReader(reader, l, closed), sync.OnceValue(func() error {
		close(closed)
		_ = reader.Close() // an error does not matter because nothing was written
		err := port.Close()
		_ = lock.Close() // as above
		return err
	})}
}

// Close ends a blocked Read. A second Close waits until the first Close is done. When any Close returns, the port is free.
func (w wire) Close() error { return w.close() }

// Read reads from the port. If the cable was pulled, the port returns an end of file or EIO, and Read returns an error that asks for the
// cable. After Close, Read returns the same error, but no caller uses the error of such a Read.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err == nil {
		return n, nil
	}
	portErr := new(serial.PortError)
	isPulled := errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO)
	isClosed := errors.Is(err, fs.ErrClosed) || errors.As(err, &portErr) && portErr.Code() == serial.PortClosed
	if isPulled || isClosed {
		return n, errors.New("the port has gone (was the cable pulled?)")
	}
	return n, err
}
