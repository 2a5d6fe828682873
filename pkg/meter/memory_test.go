package meter_test

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// TestIdleMemory tests how much memory a Decoder has between two telegrams. Programs with many meters depend on this. If a meter sends long telegrams,
// its Decoder has more memory for records and samples.
func TestIdleMemory(t *testing.T) {
	const decoders, telegrams = 200, 3
	for _, s := range familyTelegrams() {
		maxBytes := int64(12_000)
		if len(s.telegram) > 800 {
			maxBytes = 18_000
		}
		all := make([]*meter.Decoder, decoders)
		before := heapBytes()
		for i := range all {
			all[i] = newDecoder(io.LimitReader(&repeatingReader{telegram: s.telegram}, int64(telegrams*len(s.telegram))))
			var err error
			for err == nil {
				_, err = all[i].Next()
			}
			if !errors.Is(err, io.EOF) {
				t.Fatalf("%s: %v", s.family.Name, err)
			}
		}
		got := (heapBytes() - before) / decoders
		runtime.KeepAlive(all)
		if got > maxBytes {
			t.Errorf("%s: a Decoder has %d bytes, want at most %d", s.family.Name, got, maxBytes)
		}
	}
}

// TestSharedBuffers tests that Decoders in different goroutines do not disturb each other, although they share buffers for long telegrams.
func TestSharedBuffers(t *testing.T) {
	var all sync.WaitGroup
	for _, s := range sentTelegrams() {
		if len(s.bytes) <= 1200 || !s.checked {
			continue
		}
		all.Go(func() {
			d := newDecoder(&repeatingReader{telegram: []byte(s.bytes)})
			for range 20 {
				r, err := d.Next()
				if err != nil {
					t.Errorf("%s: %v", s.family, err)
					return
				}
				if got := describe(r); got != s.content {
					t.Errorf("%s: got %s, want %s", s.family, got, s.content)
					return
				}
			}
		})
	}
	all.Wait()
}

// heapBytes returns the size of the heap without garbage.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC() // after the first collection, a sync.Pool still has its buffers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
