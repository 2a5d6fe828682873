package broker

import (
	"sync"
	"time"
)

// corked holds small messages back until there are enough for one write: paho writes each by itself, and to write costs more
// than all else about a message.
type corked struct {
	mu    sync.Mutex
	on    bool
	buf   []byte
	timer *time.Timer // ends it
}

const (
	// mostCorked is how many bytes are held back at most: about what one network packet takes.
	mostCorked = 1400
	// longestCork is how long, should nobody end it.
	longestCork = time.Millisecond
)

// cork holds back what is written until uncork, or the one or other bound.
func (l *link) cork() {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	l.out.on = true
}

// uncork writes what was held back, and from now on at once.
func (l *link) uncork() {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	l.out.on = false
	_ = l.writeCorked() // the loss is told
}

// writeCorked writes what was held back. The caller holds the lock.
func (l *link) writeCorked() error {
	if len(l.out.buf) == 0 {
		return nil
	}
	_, err := l.write(l.out.buf)
	l.out.buf = l.out.buf[:0]
	return err
}

// write bounds how long it takes.
func (l *link) write(b []byte) (int, error) {
	_ = l.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // what fails here fails below
	n, err := l.Conn.Write(b)
	return n, l.judge(err)
}

// SetWriteDeadline does nothing: the client writes at another time than the link.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

func (l *link) Write(b []byte) (int, error) {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	if !l.out.on || len(l.out.buf)+len(b) > mostCorked {
		if err := l.writeCorked(); err != nil {
			return 0, err
		}
	}
	if !l.out.on || len(b) > mostCorked {
		return l.write(b)
	}
	if len(l.out.buf) == 0 {
		l.out.timer.Reset(longestCork)
	}
	l.out.buf = append(l.out.buf, b...)
	return len(b), nil
}
