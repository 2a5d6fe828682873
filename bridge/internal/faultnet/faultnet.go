// Package faultnet lets tests stand a bad network between a client and a server on the loopback interface.
package faultnet

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy passes TCP connections on to a target and misbehaves when told to. Its methods are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	workers  sync.WaitGroup

	mu    sync.Mutex
	open  chan struct{} // closed while bytes may pass
	done  chan struct{} // closed when the test is over
	delay time.Duration
	pairs map[*pair]struct{}
}

// A pair is one connection: the side of the client and the side of the target.
type pair struct {
	client, target *net.TCPConn
	done           chan struct{}
	once           sync.Once
}

// New starts a proxy to target ("host:port") that is good until told otherwise. It ends, with all its goroutines, with the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		target: target, listener: listener,
		open: make(chan struct{}), done: make(chan struct{}), pairs: make(map[*pair]struct{}),
	}
	close(p.open)
	p.workers.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect to, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets every connection, as a crashed machine that came back does. New ones are accepted.
func (p *Proxy) Cut() {
	for _, c := range p.connections() {
		_ = c.client.SetLinger(0)
		_ = c.target.SetLinger(0)
		c.close()
	}
}

// HalfClose ends the direction from the target to the client; the other one stays open.
func (p *Proxy) HalfClose() {
	for _, c := range p.connections() {
		_ = c.client.CloseWrite()
	}
}

// Hold lets no more bytes pass in either direction and closes nothing: a pulled cable. New connections are accepted,
// and hear nothing.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// Release ends Hold. What was held is delivered.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// Delay holds back every chunk for d, in both directions.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Connections is how many connections pass through.
func (p *Proxy) Connections() int { return len(p.connections()) }

func (p *Proxy) connections() []*pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*pair, 0, len(p.pairs))
	for c := range p.pairs {
		all = append(all, c)
	}
	return all
}

func (p *Proxy) close() {
	close(p.done)
	_ = p.listener.Close()
	for _, c := range p.connections() {
		c.close()
	}
	p.workers.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.serve(client.(*net.TCPConn))
		}
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	target, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &pair{client: client, target: target.(*net.TCPConn), done: make(chan struct{})}
	p.mu.Lock()
	p.pairs[c] = struct{}{}
	p.mu.Unlock()
	p.workers.Go(func() { p.pump(c, c.target, c.client) })
	p.workers.Go(func() { p.pump(c, c.client, c.target) })
	select {
	case <-p.done: // the test ended while this one was being dialled
		c.close()
	default:
	}
}

func (p *Proxy) pump(c *pair, to, from *net.TCPConn) {
	defer p.forget(c)
	chunk := make([]byte, 16<<10)
	for {
		n, err := from.Read(chunk)
		if !p.pass(c) {
			return
		}
		if _, werr := to.Write(chunk[:n]); werr != nil {
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.CloseWrite()
			}
			return
		}
	}
}

// pass waits until bytes may go on, and tells whether the connection still lives.
func (p *Proxy) pass(c *pair) bool {
	p.mu.Lock()
	open, delay := p.open, p.delay
	p.mu.Unlock()
	select {
	case <-open:
	case <-c.done:
		return false
	}
	if delay == 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}

// forget closes both sides once one direction is over: the protocols that are tested here have no use for half a connection.
func (p *Proxy) forget(c *pair) {
	c.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

func (c *pair) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.client.Close()
		_ = c.target.Close()
	})
}
