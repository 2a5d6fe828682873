package broker

import (
	"net"
	"syscall"
)

// quick is a TCP connection that acknowledges at once what it reads. mosquitto leaves Nagle's algorithm on: while one small packet of it
// is unacknowledged it holds back the following ones, and the kernel here would delay that acknowledgement by 40 ms.
type quick struct {
	*net.TCPConn
	raw syscall.RawConn
}

func quicken(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	return &quick{tcp, raw}
}

// Read asks again after every read: the kernel falls back to delays by itself (tcp(7), TCP_QUICKACK).
func (q *quick) Read(b []byte) (int, error) {
	n, err := q.TCPConn.Read(b)
	if n > 0 {
		_ = q.raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
		})
	}
	return n, err
}
