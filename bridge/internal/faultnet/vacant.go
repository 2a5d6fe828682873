package faultnet

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Vacant returns an address of the loopback interface on which nobody listens, for a server that has to be told one. Its port is
// below those that systems give to clients: a client that dials such a one before its server listens may be connected to
// itself, and then the server cannot listen there.
func Vacant(t testing.TB) string {
	t.Helper()
	const lowest, highest = 20_000, 32_000
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.N(highest-lowest))
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no vacant port")
	return ""
}
