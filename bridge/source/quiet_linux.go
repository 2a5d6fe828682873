package source

import (
	"cmp"
	"io"
	"os"
	"syscall"

	"go.bug.st/serial"
)

// quietPort reads a port, and lets arriving bytes wake the program only while Read waits for them. An os.File in the poller of the Go runtime would
// wake the program for each packet of the adapter, even while nothing reads. So the port is in an epoll instance of its own, and only that
// instance is in the poller. The port is armed for one event in each wait (EPOLLONESHOT, epoll_ctl(2)).
type quietPort struct {
	port    syscall.RawConn
	epoll   *os.File
	conn    syscall.RawConn // of epoll
	epollFD int             // of epoll

	// The functions below are kept because making them for each call would allocate memory. They use the fields after them.
	readPort, armPort func(fd uintptr)
	awaitEvent        func(fd uintptr) bool
	buffer            []byte
	n                 int
	err               error
	isArmed           bool
	events            [1]syscall.EpollEvent
}

// newPortReader returns a reader of the port that lock has opened. It does not read from port, because the Read of the library uses select, and
// panics if the number of a file descriptor is 1024 or above. Close ends a blocked Read.
func newPortReader(_ serial.Port, lock *os.File) (io.ReadCloser, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	err = syscall.SetNonblock(fd, true) // otherwise os.NewFile does not add it to the poller
	q := &quietPort{epoll: os.NewFile(uintptr(fd), "epoll"), epollFD: fd}
	q.readPort, q.armPort, q.awaitEvent = q.readNow, q.arm, q.takeEvent
	if q.conn, q.err = q.epoll.SyscallConn(); err == nil {
		err = q.err
	}
	if q.port, q.err = lock.SyscallConn(); err == nil {
		err = q.err
	}
	if err == nil {
		err = q.control(func(fd uintptr) { q.err = q.epollCtl(syscall.EPOLL_CTL_ADD, fd) })
	}
	if err != nil {
		_ = q.epoll.Close() // an error does not matter because nothing was written
		return nil, err
	}
	return q, nil
}

// Close ends a blocked Read. It does not close the port.
func (q *quietPort) Close() error { return q.epoll.Close() }

// Read implements io.Reader.
func (q *quietPort) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	q.buffer = p
	for {
		err := q.control(q.readPort)
		if err != syscall.EAGAIN { //nolint:errorlint // readNow returns a bare errno
			return q.n, err
		}
		q.isArmed, q.err = false, nil
		if err := cmp.Or(q.conn.Read(q.awaitEvent), q.err); err != nil {
			return 0, err
		}
	}
}

// control calls f with the file descriptor of the port, and returns the error of f, which is in q.err.
func (q *quietPort) control(f func(fd uintptr)) error {
	if err := q.port.Control(f); err != nil {
		return err
	}
	return q.err
}

// readNow reads the bytes that have arrived. The error is EAGAIN if no byte has arrived.
func (q *quietPort) readNow(fd uintptr) {
	for q.n, q.err = syscall.Read(int(fd), q.buffer); q.err == syscall.EINTR; { //nolint:errorlint // a bare errno
		q.n, q.err = syscall.Read(int(fd), q.buffer)
	}
	q.n = max(q.n, 0)
	if q.n == 0 && q.err == nil {
		q.err = io.EOF
	}
}

// takeEvent arms the port in its first call of a wait. Later calls take the event of the port, and report whether there was one.
func (q *quietPort) takeEvent(uintptr) bool {
	if !q.isArmed {
		q.isArmed = true
		return q.control(q.armPort) != nil
	}
	n, err := syscall.EpollWait(q.epollFD, q.events[:], 0)
	return n > 0 || err != nil
}

// arm lets the port wake the program at its next bytes, or at once if bytes have arrived.
func (q *quietPort) arm(fd uintptr) { q.err = q.epollCtl(syscall.EPOLL_CTL_MOD, fd) }

// epollCtl adds the file descriptor of the port to epoll, or arms it again.
func (q *quietPort) epollCtl(operation int, fd uintptr) error {
	q.events[0] = syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(q.epollFD, operation, int(fd), &q.events[0]))
}
