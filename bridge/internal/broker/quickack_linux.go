package broker

import (
	"net"
	"syscall"
)

// acknowledge has the kernel acknowledge what was read, instead of up to 40 ms later (tcp(7), TCP_QUICKACK). Until then Mosquitto, which
// leaves Nagle's algorithm on, holds back the next small packet: a recording would take 40 ms a telegram.
func acknowledge(c net.Conn) {
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
