package bridge_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// BenchmarkMemoryPerMeter measures the memory of a bridge for each of 1,000 meters that have sent telegrams with 30 quantities. The bridge stores a
// state, and has one output, which keeps nothing. One iteration is one bridge. The metrics are the heap that is still in use after a garbage
// collection, and the stacks of the goroutines. The command to run the benchmark is:
//
//	go test ./bridge -run '^$' -bench MemoryPerMeter -benchtime 3x
func BenchmarkMemoryPerMeter(b *testing.B) {
	const meters, telegramsEach = 1000, 5
	telegrams := simulatedTelegrams(b, telegramsEach)
	var heap, stack uint64
	for b.Loop() {
		heapBefore, stackBefore := memoryInUse()
		wires, counter := make([]memoryWire, meters), new(telegramCounter)
		br := bridge.New(zerolog.Nop())
		br.KeepState(b.TempDir())
		br.AddOutput("counter", counter)
		for i := range wires {
			wires[i] = make(memoryWire)
			if err := br.AddMeter(bridge.Meter{ID: fmt.Sprint("m", i), Name: fmt.Sprint("Meter ", i)}, wires[i].source()); err != nil {
				b.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- br.Run(ctx) }()
		for _, telegram := range telegrams {
			for _, wire := range wires {
				wire <- telegram
			}
		}
		counter.await(b, meters*telegramsEach)
		heapAfter, stackAfter := memoryInUse()
		heap, stack = heap+heapAfter-heapBefore, stack+stackAfter-stackBefore
		stop()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(heap)/1024/meters/float64(b.N), "heap-kB/meter")
	b.ReportMetric(float64(stack)/1024/meters/float64(b.N), "stack-kB/meter")
	b.ReportMetric(0, "ns/op")
}

// simulatedTelegrams returns consecutive telegrams of a meter that sends 30 quantities every second.
func simulatedTelegrams(b *testing.B, n int) (telegrams [][]byte) {
	b.Helper()
	family, ok := simulate.Named("p1-se-aidon")
	if !ok {
		b.Fatal("the simulator has no family p1-se-aidon")
	}
	family.Interval = time.Second
	for m := simulate.NewMeter(family, 1, time.Now()); len(telegrams) < n; {
		telegrams = append(telegrams, nextTelegram(m))
	}
	return telegrams
}

// memoryInUse returns the bytes on the heap after a garbage collection, and the bytes of the stacks.
func memoryInUse() (heap, stack uint64) {
	runtime.GC()
	runtime.GC() // frees what was in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// A memoryWire is a connection that delivers the texts that are sent on the channel, and never ends.
type memoryWire chan []byte

// source returns a source with the wire as its only endpoint.
func (w memoryWire) source() probe.Source {
	dial := func(context.Context) (io.ReadCloser, error) {
		return &memoryConn{wire: w, closed: make(chan struct{})}, nil
	}
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://127.0.0.1:1", Dial: dial})}
}

// A memoryConn is one connection to a memoryWire.
type memoryConn struct {
	wire   memoryWire
	rest   []byte // of the last text
	once   sync.Once
	closed chan struct{}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		select {
		case c.rest = <-c.wire:
		case <-c.closed:
			return 0, io.EOF
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Close ends a Read that waits.
func (c *memoryConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// A telegramCounter is an output that counts telegrams.
type telegramCounter struct{ n atomic.Uint64 }

// Streams returns that the output receives values and telegrams.
func (c *telegramCounter) Streams() bridge.Streams {
	return bridge.Streams{Plan: throttle.NewPlan(throttle.Balanced), Telegrams: true}
}

// Run takes all batches until ctx ends.
func (c *telegramCounter) Run(ctx context.Context, s *bridge.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ready():
			for batch := s.Take(); batch != nil; batch = s.Take() {
				c.n.Add(uint64(len(batch.Telegrams)) + batch.Lost)
				s.Delivered(batch.Number)
			}
		}
	}
}

// await waits until n telegrams were counted. It fails the benchmark after a minute.
func (c *telegramCounter) await(b *testing.B, n uint64) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); c.n.Load() < n; runtime.Gosched() {
		if time.Now().After(deadline) {
			b.Fatalf("got %d telegrams in a minute, want %d", c.n.Load(), n)
		}
	}
}
