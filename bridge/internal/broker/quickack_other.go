//go:build !linux

package broker

import "net"

// newQuickAck returns a function that does nothing, because only Linux has TCP_QUICKACK.
func newQuickAck(net.Conn) func() { return func() {} }
