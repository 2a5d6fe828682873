//go:build !linux

package broker

import "net"

// quickAck does nothing, because only Linux has TCP_QUICKACK.
func quickAck(net.Conn) {}
