package broker

import (
	"net"
	"syscall"
)

// newQuickAck returns a function that makes the kernel acknowledge the received TCP segments of c immediately instead of up to 40 ms later
// (tcp(7), TCP_QUICKACK). It must be called after each read, because the setting does not last. Mosquitto leaves Nagle's algorithm on, so it
// sends no further small packet before that acknowledgement. Without it, publishing a recording would take 40 ms for each telegram.
func newQuickAck(c net.Conn) func() {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return func() {}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return func() {}
	}
	set := func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) }
	return func() { _ = raw.Control(set) }
}
