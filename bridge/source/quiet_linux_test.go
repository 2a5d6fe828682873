package source_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// TestSerialReadWaitsAgain tests that every Read of a port gets the bytes of one write, whether they arrive before the Read or while it waits. A
// port that is armed for one event must be armed again for the next.
func TestSerialReadWaitsAgain(t *testing.T) {
	master, path := ptyPair(t)
	wire := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0])))
	for i := range 100 {
		arrived := make(chan error, 1)
		write := func() {
			_, err := master.WriteString("telegram")
			arrived <- err
		}
		if i%2 == 0 {
			write()
		} else {
			time.AfterFunc(time.Millisecond, write)
		}
		expectBytes(t, wire, []byte("telegram"))
		if err := <-arrived; err != nil {
			t.Fatal(err)
		}
	}
}

// TestSerialReadAllocatesNothing tests that reading does not allocate memory for each piece.
func TestSerialReadAllocatesNothing(t *testing.T) {
	master, path := ptyPair(t)
	wire := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0])))
	p := make([]byte, 64)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := master.Write(p[:1]); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Read(p); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("got %v allocations for each read, want none", allocs)
	}
}
