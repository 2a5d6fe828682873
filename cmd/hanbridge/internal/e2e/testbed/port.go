//go:build linux

package testbed

import (
	"fmt"
	"net"
	"syscall"
	"testing"
)

// FreePort returns a port of 127.0.0.1 for a server that has to be told one. The kernel gives it, and it stays the test's until
// its end: a socket is bound to it that does not listen. Linux lets a server listen beside such a socket, where both have
// SO_REUSEADDR (Mosquitto, Node.js and Go set it), gives the port to nobody who asks for any, and refuses who dials it.
func FreePort(t testing.TB) string {
	t.Helper()
	port, release, err := ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// ReservePort is FreePort for those who have no test at hand. The port is theirs until they call release.
func ReservePort() (port string, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = syscall.Close(fd) }
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	address, e := syscall.Getsockname(fd)
	if err != nil || e != nil {
		release()
		return "", nil, fmt.Errorf("no free port: %w, %w", err, e)
	}
	return fmt.Sprint(address.(*syscall.SockaddrInet4).Port), release, nil
}

// AwaitListener waits until somebody accepts connections at an address, a host and a port.
func AwaitListener(t testing.TB, address string) {
	t.Helper()
	Until(t, "somebody listens on "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
}
