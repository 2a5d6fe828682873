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

func openSerial(path string, l Line) (io.ReadCloser, error) {
	ours, err := lock(path)
	if err != nil {
		return nil, explain(path, err)
	}
	stop := serial.OneStopBit
	if l.StopBits == 2 {
		stop = serial.TwoStopBits
	}
	port, err := serial.Open(path, &serial.Mode{BaudRate: l.Baud, DataBits: l.DataBits, Parity: parities[l.Parity], StopBits: stop})
	if err != nil {
		_ = ours.Close() // nothing was done with it
		return nil, explain(path, err)
	}
	_ = port.ResetInputBuffer() // what waits there was read with another setting; a port that cannot do so gives it
	return newWire(port, ours), nil
}

// wire is an open port.
type wire struct {
	io.Reader
	close func() error // it lets others have the port, too
}

// newWire returns the wire of a port that is set up. On Linux it is read through the descriptor that holds the lock: the library
// waits with select, which panics where the number of a descriptor is 1024 or above, as in a process of many connections.
func newWire(port serial.Port, lock io.ReadCloser) wire {
	var r io.Reader = port
	if runtime.GOOS == "linux" {
		r = lock
	}
	return wire{r, sync.OnceValue(func() error {
		err := port.Close()
		_ = lock.Close() // nothing was written
		return err
	})}
}

// Close ends a Read that waits. The second Close does nothing but wait for the first: behind each of them the port is free.
func (w wire) Close() error { return w.close() }

// Read says in words for people that the port has gone, also where it was closed on purpose: nobody reads on then. A port that
// was pulled out gives an end of file, or an error of input.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	closed := new(serial.PortError)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) || errors.Is(err, fs.ErrClosed) ||
		errors.As(err, &closed) && closed.Code() == serial.PortClosed {
		return n, errors.New("the port has gone (was the cable pulled?)")
	}
	return n, err
}
