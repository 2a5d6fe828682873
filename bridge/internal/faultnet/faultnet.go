// Package faultnet simulates a bad network between a client and a server on the loopback interface. It is for tests.
package faultnet

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Proxy forwards TCP connections to a target. Its methods delay, block or reset these connections, and are safe
// for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	delay    atomic.Int64 // in ns
	gate     sync.RWMutex // Block locks it for writing and Unblock unlocks it; pump locks it for reading during each Write

	mu      sync.Mutex
	blocked bool          // gate is locked for writing
	pairs   map[pair]bool // the open connections
}

// A pair holds the two TCP connections between which the proxy forwards.
type pair struct{ client, target *net.TCPConn }

// New starts a proxy to target ("host:port"). Until a method changes this, the proxy forwards without faults. The proxy and all its goroutines end
// with the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, pairs: map[pair]bool{}}
	var accepting, pumps sync.WaitGroup
	accepting.Go(func() {
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				p.serve(client.(*net.TCPConn), &pumps)
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		p.Unblock()
		p.ResetConnections()
		pumps.Wait()
	})
	return p
}

// Addr returns the address for clients, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// ResetConnections resets every connection, as a server does after a crash. New connections are accepted.
func (p *Proxy) ResetConnections() {
	for _, c := range p.connections() {
		for _, side := range []*net.TCPConn{c.client, c.target} {
			_ = side.SetLinger(0) // so that Close sends a reset
			_ = side.Close()
		}
	}
}

// HalfClose ends the direction from the target to the client on every connection. The client can still send until the target sends
// bytes or closes the connection.
func (p *Proxy) HalfClose() {
	for _, c := range p.connections() {
		_ = c.client.CloseWrite()
	}
}

// Block stops the bytes in both directions and closes no connection, like a pulled cable. New connections are accepted and also blocked.
func (p *Proxy) Block() { p.setBlocked(true, p.gate.Lock) }

// Unblock ends Block. Bytes that were blocked are delivered.
func (p *Proxy) Unblock() { p.setBlocked(false, p.gate.Unlock) }

// setBlocked calls change, which locks or unlocks gate, unless gate is already in that state.
func (p *Proxy) setBlocked(blocked bool, change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocked != blocked {
		p.blocked = blocked
		change()
	}
}

// Delay delays all bytes by d, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Connections returns the number of open connections.
func (p *Proxy) Connections() int { return len(p.connections()) }

// connections returns the open connections.
func (p *Proxy) connections() []pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.pairs))
}

// serve connects to the target and starts the two pumps of a new connection.
func (p *Proxy) serve(client *net.TCPConn, pumps *sync.WaitGroup) {
	target, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := pair{client, target.(*net.TCPConn)}
	p.mu.Lock()
	p.pairs[c] = true
	p.mu.Unlock()
	pumps.Go(func() { p.pump(c, c.target, c.client) })
	pumps.Go(func() { p.pump(c, c.client, c.target) })
}

// pump forwards bytes from one TCP connection of a pair to the other, until there are no more bytes or an error occurs. Then it closes both
// TCP connections.
func (p *Proxy) pump(c pair, to, from *net.TCPConn) {
	chunk := make([]byte, 16<<10)
	for err := error(nil); err == nil; {
		var n int
		n, err = from.Read(chunk)
		<-time.After(time.Duration(p.delay.Load()))
		p.gate.RLock()
		_, writeErr := to.Write(chunk[:n])
		p.gate.RUnlock()
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite()
		}
		err = errors.Join(err, writeErr)
	}
	_, _ = c.client.Close(), c.target.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

// UnusedAddress returns an address of the loopback interface on which no program listens, for a server that cannot choose a port itself. The
// port is below the ephemeral ports. Otherwise a client that dials before the server listens could get the same port as its source port. TCP
// would then connect the client to itself.
func UnusedAddress(t testing.TB) string {
	t.Helper()
	const minPort, maxPort = 20_000, 32_000 // the ephemeral ports of Linux begin at 32768
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", minPort+rand.N(maxPort-minPort))
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no unused port")
	return ""
}
