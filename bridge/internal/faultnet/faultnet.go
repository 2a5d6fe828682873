// Package faultnet lets tests stand a bad network between a client and a server on the loopback interface.
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

// A Proxy passes TCP connections on to a target and misbehaves when told to. Its methods are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	delay    atomic.Int64 // of every chunk, in ns
	gate     sync.RWMutex // locked while no bytes may pass

	mu    sync.Mutex
	held  bool // gate is locked
	pairs map[pair]bool
}

// A pair is one connection.
type pair struct{ client, target *net.TCPConn }

// New starts a proxy to target ("host:port") that is good until told otherwise. It ends, with all its goroutines, with the test.
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

// Addr is where clients connect to, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// ResetConnections resets every connection, as a crashed machine that came back does. New ones are accepted.
func (p *Proxy) ResetConnections() {
	for _, c := range p.connections() {
		for _, side := range []*net.TCPConn{c.client, c.target} {
			_ = side.SetLinger(0)
			_ = side.Close()
		}
	}
}

// HalfClose ends the direction from the target to the client; the other one stays open.
func (p *Proxy) HalfClose() {
	for _, c := range p.connections() {
		_ = c.client.CloseWrite()
	}
}

// Block lets no more bytes pass in either direction and closes nothing: a pulled cable. New connections are accepted,
// and hear nothing.
func (p *Proxy) Block() { p.hold(true, p.gate.Lock) }

// Unblock ends Block. What was held is delivered.
func (p *Proxy) Unblock() { p.hold(false, p.gate.Unlock) }

func (p *Proxy) hold(held bool, change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != held {
		p.held = held
		change()
	}
}

// Delay holds back every chunk for d, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Connections is how many connections pass through.
func (p *Proxy) Connections() int { return len(p.connections()) }

func (p *Proxy) connections() []pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.pairs))
}

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

// pump passes on one direction. When that is over it closes both: the protocols that are tested here have no use for half a connection.
func (p *Proxy) pump(c pair, to, from *net.TCPConn) {
	chunk := make([]byte, 16<<10)
	for err := error(nil); err == nil; {
		var n int
		n, err = from.Read(chunk)
		<-time.After(time.Duration(p.delay.Load()))
		p.gate.RLock()
		_, failed := to.Write(chunk[:n])
		p.gate.RUnlock()
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite()
		}
		err = errors.Join(err, failed)
	}
	_, _ = c.client.Close(), c.target.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

// UnusedAddress returns an address of the loopback interface on which nobody listens, for a server that has to be told one. Its port is
// below those that systems give to clients: a client that dials such a one before its server listens may be connected to
// itself, and then the server cannot listen there.
func UnusedAddress(t testing.TB) string {
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
