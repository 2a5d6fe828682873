package broker

import (
	"net"
	"syscall"
)

// quickAck makes the kernel acknowledge received TCP segments immediately instead of up to 40 ms later (tcp(7), TCP_QUICKACK). Mosquitto
// leaves Nagle's algorithm on, so it sends no further small packet before that acknowledgement. Without quickAck, publishing a recording
// would take 40 ms for each telegram.
func quickAck(c net.Conn) {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
	}
}
