package mask

import "io"

// tap keeps the end of what was read through it: a Decoder tells where a telegram stood, not what it was.
type tap struct {
	r    io.Reader
	buf  []byte
	base int64 // place in the stream of buf[0]
}

// kept is how many bytes are kept at least: more than the parts of a message and a Decoder's buffer take.
const kept = 1 << 17

// Read reads.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if drop := len(t.buf) - kept; drop > kept {
		t.buf = append(t.buf[:0], t.buf[drop:]...)
		t.base += int64(drop)
	}
	t.buf = append(t.buf, p[:n]...)
	return n, err
}

// at returns the n bytes that stood there, valid until the next Read; false where they have been dropped.
func (t *tap) at(offset int64, n int) ([]byte, bool) {
	start := offset - t.base
	if start < 0 || start+int64(n) > int64(len(t.buf)) {
		return nil, false
	}
	return t.buf[start : start+int64(n)], true
}
