package source

import (
	"io"
	"time"
)

// pacedReader reads a serial port in larger pieces, so that a telegram wakes the program a few times instead of once for each packet of the
// adapter. It learns how many bytes come between two pauses of the line (a burst, usually one telegram). During a burst it sleeps until shortly
// before the end of the shortest learned burst that is longer than what has arrived. It then reads the last bytes as they arrive.
//
// A burst that ends earlier than all learned bursts is read late once, by at most maxSleep. Bytes that come faster than the line sends them, for
// example from a pseudo-terminal, are always read as they arrive.
type pacedReader struct {
	port   io.Reader
	line   Line
	closed <-chan struct{} // when this channel is closed, sleep returns
	timer  *time.Timer

	lengths [8]int // in bytes, of the last bursts; 0 means that no burst was learned
	next    int    // index in lengths of the next burst

	// The burst that arrives.
	arrived     int // number of bytes
	firstPiece  int // number of bytes of the first piece
	first, last time.Time
	filled      bool // the last read has filled its buffer, so more bytes are possibly waiting
}

const (
	// burstPause is longer than any pause within a telegram, and shorter than the pause between two telegrams.
	burstPause = 100 * time.Millisecond
	// maxSleep is short compared with the silences that other packages measure on the line, which are half a second and longer.
	maxSleep = 100 * time.Millisecond
	// minSleep is about the time in which a USB adapter collects a packet at 115200 bits a second. A shorter sleep saves no read.
	minSleep = 5 * time.Millisecond
	// maxUnread is half the size of the buffer that Linux has for the bytes of a port. While the reader sleeps, no more bytes arrive.
	maxUnread = 2048
)

// newPacedReader returns a reader of a port with the setting l. When closed is closed, the reader does not sleep.
func newPacedReader(port io.Reader, l Line, closed <-chan struct{}) *pacedReader {
	timer := time.NewTimer(0)
	timer.Stop()
	return &pacedReader{port: port, line: l, closed: closed, timer: timer}
}

// Read implements io.Reader. It must not be called by two goroutines at the same time.
func (r *pacedReader) Read(p []byte) (int, error) {
	if d := r.sleepTime(); d >= minSleep {
		r.timer.Reset(d)
		select {
		case <-r.timer.C:
		case <-r.closed:
		}
	}
	start := time.Now()
	n, err := r.port.Read(p)
	if n > 0 {
		r.add(n, start, time.Now())
	}
	r.filled = n == len(p)
	return n, err
}

// add adds n bytes to the burst. They were awaited from the time start to the time now.
func (r *pacedReader) add(n int, start, now time.Time) {
	if now.Sub(start) >= burstPause {
		r.learn()
		r.arrived = 0
	}
	if r.arrived == 0 {
		r.first, r.firstPiece = now, n
	}
	r.arrived += n
	r.last = now
}

// learn learns the length of the burst that has ended. If its bytes came faster than the line sends them, learn forgets all lengths.
func (r *pacedReader) learn() {
	took := r.last.Sub(r.first)
	isPaced := r.firstPiece <= r.arrived/2 && took >= r.lineTime(r.arrived-r.firstPiece)-r.margin()/2
	if !isPaced {
		r.lengths = [len(r.lengths)]int{}
		return
	}
	r.lengths[r.next] = r.arrived
	r.next = (r.next + 1) % len(r.lengths)
}

// sleepTime returns how long no byte of the burst needs to be read. It is not positive if the bytes must be read as they arrive.
func (r *pacedReader) sleepTime() time.Duration {
	if r.arrived == 0 || r.filled {
		return 0
	}
	length := 0 // of the shortest learned burst that is longer than what has arrived
	for _, l := range r.lengths {
		if l == 0 {
			return 0 // too few bursts were learned
		}
		if l > r.arrived && (l < length || length == 0) {
			length = l
		}
	}
	unread := min(length-r.arrived, maxUnread)
	return min(time.Until(r.last.Add(r.lineTime(unread)-r.margin())), maxSleep)
}

// margin is the time by which the reader wakes before the expected end of a burst: some bytes that a telegram can be shorter, and the time that
// waking up takes.
func (r *pacedReader) margin() time.Duration { return r.lineTime(16) + 2*time.Millisecond }

// lineTime returns the time in which the line sends n bytes. A byte has a start bit, data bits, possibly a parity bit, and stop bits.
func (r *pacedReader) lineTime(n int) time.Duration {
	bits := 1 + r.line.DataBits + r.line.StopBits
	if r.line.Parity != 'N' {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(r.line.Baud)
}
