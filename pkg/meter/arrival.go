package meter

import (
	"io"
	"time"
)

// A TimedReader is an io.Reader that knows when its bytes arrived. If the reader of a Decoder is a TimedReader, the Decoder calls ReadTimed and
// never Read. The Decoder then sets Received of readings and errors. It does not join two parts of a message if the line was silent between them.
type TimedReader interface {
	io.Reader
	// ReadTimed is like Read, and also returns when the bytes arrived.
	ReadTimed(p []byte) (n int, a Arrival, err error)
}

// An Arrival says when the bytes of one read arrived. The zero Arrival means that this is not known.
type Arrival struct {
	// Time is when the last of the bytes arrived.
	Time time.Time
	// Waited is how long the reader waited before the first of the bytes arrived. It does not include the time between two reads, because
	// bytes can arrive in this time and be read later.
	Waited time.Duration
}

// ReadTimed reads from r with ReadTimed if r is a TimedReader. Otherwise it reads with Read, and returns the zero Arrival.
func ReadTimed(r io.Reader, p []byte) (n int, a Arrival, err error) {
	if t, ok := r.(TimedReader); ok {
		return t.ReadTimed(p)
	}
	n, err = r.Read(p)
	return n, Arrival{}, err
}

// messageGap is longer than any pause between two parts of a message, and shorter than the pause between two messages.
const messageGap = 500 * time.Millisecond

// noteSilence notes that no bytes arrived for messageGap or longer, and that the next bytes arrive after this silence. An incomplete message is
// then dropped, and its parts are not joined with parts of the next message. They could otherwise be joined: HDLC segments have no numbers, and
// the numbers of M-Bus segments and blocks begin again with each message.
func (d *Decoder) noteSilence() {
	const flag = 1 // the flag that ends a frame remains in buf, because it possibly begins the next frame
	isWithinPart := d.end-d.at > flag
	if isWithinPart {
		return // the checksum of the part shows whether bytes are missing
	}
	d.segments.noteSilence()
	d.blocks.noteSilence()
}

// arrivals has the times at which the bytes in the buffer of a Decoder arrived. The bytes of one read are a span. If there are more spans than
// fit, spans are joined.
type arrivals struct {
	spans [16]arrivalSpan // in the order of the stream
	n     int             // number of spans
}

// An arrivalSpan are successive bytes of the stream that arrived at the same time.
type arrivalSpan struct {
	end  int64 // offset in the stream after the last byte
	time time.Time
}

// add adds the span that ends at offset end. It drops the spans that end at or before the offset decoded.
func (a *arrivals) add(end int64, t time.Time, decoded int64) {
	dropped := 0
	for dropped < a.n && a.spans[dropped].end <= decoded {
		dropped++
	}
	a.n = copy(a.spans[:], a.spans[dropped:a.n])
	if a.n == len(a.spans) {
		a.join()
	}
	a.spans[a.n] = arrivalSpan{end, t}
	a.n++
}

// join joins two successive spans. Their bytes get the time of the later span. It chooses the spans that change the times least.
func (a *arrivals) join() {
	joined, shortest := 0, time.Duration(1<<63-1)
	for i := 1; i < a.n-1; i++ {
		if d := a.spans[i+1].time.Sub(a.spans[i-1].time); d < shortest {
			joined, shortest = i, d
		}
	}
	a.n = joined + copy(a.spans[joined:], a.spans[joined+1:a.n])
}

// of returns when the byte before offset end arrived. It returns the zero time if this is not known.
func (a *arrivals) of(end int64) time.Time {
	for i := range a.spans[:a.n] {
		if a.spans[i].end >= end {
			return a.spans[i].time
		}
	}
	return time.Time{}
}
