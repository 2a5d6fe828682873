package source

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// fakePort is a port whose bytes arrive at given times.
type fakePort struct {
	pieces chan int // the number of bytes of each piece that has arrived
	unread int
	reads  int
}

// Read waits until bytes have arrived, and returns all of them if p is large enough.
func (f *fakePort) Read(p []byte) (int, error) {
	if f.unread == 0 {
		n, ok := <-f.pieces
		if !ok {
			return 0, io.EOF
		}
		f.unread = n
	}
	for len(f.pieces) > 0 {
		f.unread += <-f.pieces
	}
	f.reads++
	n := min(f.unread, len(p))
	f.unread -= n
	return n, nil
}

// send lets a burst of n bytes arrive at the speed of the line l, in pieces. It returns when the last byte has arrived.
func (f *fakePort) send(l Line, n, piece int) time.Time {
	for ; n > 0; n -= piece {
		piece = min(n, piece)
		<-time.After((&pacedReader{line: l}).lineTime(piece))
		f.pieces <- piece
	}
	return time.Now()
}

var (
	fastLine = Line{115200, 8, 'N', 1}
	slowLine = Line{2400, 8, 'E', 1}
)

// burst is what a test has read of a burst.
type burst struct {
	reads int
	late  time.Duration // from the arrival of the last byte until the end of the read
}

// readBursts sends bursts with a pause after each, and returns what was read of each. A piece of 0 sends each burst in one piece.
func readBursts(t *testing.T, l Line, piece, bufferSize int, lengths ...int) (bursts []burst) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		port := &fakePort{pieces: make(chan int, 10_000)}
		r := newPacedReader(port, l, nil)
		sent := make(chan time.Time, 1)
		go func() {
			defer close(port.pieces)
			for _, n := range lengths {
				size := piece
				if size == 0 {
					size = n
				}
				<-time.After(time.Second)
				sent <- port.send(l, n, size)
			}
		}()
		p := make([]byte, bufferSize)
		for _, length := range lengths {
			port.reads = 0
			for got := 0; got < length; {
				n, err := r.Read(p)
				if err != nil {
					t.Fatal(err)
				}
				got += n
			}
			synctest.Wait()
			bursts = append(bursts, burst{port.reads, time.Since(<-sent)})
		}
	})
	return bursts
}

// repeat returns n bursts of a length.
func repeat(n, length int) (all []int) {
	for range n {
		all = append(all, length)
	}
	return all
}

// TestPacedReaderReadsFewPieces tests that the bytes of a learned burst are read in few pieces, and that the last byte is not read late.
func TestPacedReaderReadsFewPieces(t *testing.T) {
	for _, tt := range []struct {
		name          string
		line          Line
		piece, length int
		most          int // reads of a learned burst
	}{
		{"115200", fastLine, 64, 900, 4},
		{"115200, byte by byte", fastLine, 1, 900, 50},
		{"2400", slowLine, 4, 300, 20},
		{"longer than the buffer of the kernel", fastLine, 64, 9000, 12},
	} {
		bursts := readBursts(t, tt.line, tt.piece, 16384, repeat(12, tt.length)...)
		all := (tt.length + tt.piece - 1) / tt.piece
		for i, b := range bursts {
			isLearned := i >= len(pacedReader{}.lengths)
			if b.late != 0 || !isLearned && b.reads < all-1 || isLearned && b.reads > tt.most {
				t.Errorf("%s, burst %d: got %d reads, last byte read %v late; want at most %d reads of a learned burst, %d of another, not late",
					tt.name, i, b.reads, b.late, tt.most, all)
			}
		}
	}
}

// TestPacedReaderShorterBursts tests that a shorter burst is read late at most once, and that bursts of alternating lengths are not read late.
func TestPacedReaderShorterBursts(t *testing.T) {
	lengths := append(repeat(12, 900), 300, 900, 300, 900, 300)
	for i, b := range readBursts(t, fastLine, 64, 16384, lengths...) {
		limit := time.Duration(0)
		if i == 12 { // the first short burst
			limit = maxSleep
		}
		if b.late > limit {
			t.Errorf("burst %d of %d bytes: last byte read %v late, want at most %v", i, lengths[i], b.late, limit)
		}
	}
	for _, shorter := range []int{899, 890, 880} {
		if b := readBursts(t, fastLine, 1, 16384, append(repeat(12, 900), shorter)...)[12]; b.late > 2*time.Millisecond {
			t.Errorf("a burst of %d instead of 900 bytes: last byte read %v late, want at most 2ms", shorter, b.late)
		}
	}
}

// TestPacedReaderWithoutPace tests that bytes are read at once if they come faster than the line sends them.
func TestPacedReaderWithoutPace(t *testing.T) {
	for i, b := range readBursts(t, fastLine, 0, 16384, repeat(20, 900)...) {
		if b.reads != 1 || b.late != 0 {
			t.Errorf("burst %d in one piece: got %d reads, last byte read %v late, want 1 read, not late", i, b.reads, b.late)
		}
	}
}

// TestPacedReaderFullBuffer tests that a full buffer is followed by a read without a sleep, because more bytes are possibly waiting.
func TestPacedReaderFullBuffer(t *testing.T) {
	for i, b := range readBursts(t, fastLine, 64, 100, repeat(14, 900)...) {
		if b.late != 0 {
			t.Errorf("burst %d: last byte read %v late, want not late", i, b.late)
		}
	}
}

// TestPacedReaderForgets tests that a learned length is forgotten when the bytes come faster than the line sends them.
func TestPacedReaderForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port := &fakePort{pieces: make(chan int, 1)}
		r := newPacedReader(port, fastLine, nil)
		p := make([]byte, 4096)
		burst := func(pace time.Duration) (took time.Duration) {
			<-time.After(time.Second)
			start := time.Now()
			go func() {
				for range 15 {
					<-time.After(pace)
					port.pieces <- 60
				}
			}()
			for got := 0; got < 900; {
				n, _ := r.Read(p)
				got += n
			}
			return time.Since(start)
		}
		for range 12 {
			burst(r.lineTime(60))
		}
		late := 0
		for range 5 {
			if burst(0) > time.Millisecond {
				late++
			}
		}
		if late > 2 {
			t.Errorf("got %d late bursts after the line has become faster, want at most 2", late)
		}
	})
}

// TestPacedReaderClose tests that Close ends a sleep.
func TestPacedReaderClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		port := &fakePort{pieces: make(chan int, 1)}
		r := newPacedReader(port, slowLine, closed)
		for i := range r.lengths {
			r.lengths[i] = 1000
		}
		port.pieces <- 64
		p := make([]byte, 4096)
		if _, err := r.Read(p); err != nil {
			t.Fatal(err)
		}
		close(port.pieces)
		time.AfterFunc(maxSleep/4, func() { close(closed) })
		start := time.Now()
		if _, err := r.Read(p); err != io.EOF { //nolint:errorlint // the fake port returns io.EOF itself
			t.Fatalf("got error %v, want %v", err, io.EOF)
		}
		if got := time.Since(start); got != maxSleep/4 {
			t.Errorf("Read has ended after %v, want %v, when the port was closed", got, maxSleep/4)
		}
	})
}
