package bridge_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// closes ends the connection from the other side.
func (p *port) closes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.writer.Close() // never fails
}

// TestLogOfFloods: what a wire, or who sends on it, can bring about again and again for an hour fills no log.
func TestLogOfFloods(t *testing.T) {
	good := nextTelegram(newMeter(t, "p1-se-aidon"))
	damaged := bytes.Replace(good, []byte("(00"), []byte("(0?"), 1)
	sealed := func(i int) []byte { // nobody has its key, and it names another meter each time
		telegram := nextTelegram(newMeter(t, "kamstrup-dk"))
		return append(telegram, byte(i))
	}
	for _, tt := range []struct {
		name  string
		every time.Duration
		send  func(p *port, i int)
	}{
		{"damaged telegrams", time.Second, func(p *port, _ int) { p.send(damaged) }},
		{"damaged and good by turns", time.Second, func(p *port, i int) { p.send([][]byte{damaged, good}[i%2]) }},
		{"sealed and good by turns", time.Second, func(p *port, i int) { p.send([][]byte{sealed(i), good}[i%2]) }},
		{"two meters by turns", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", fmt.Sprintf("%016d", 3131313131313131+i/8%2), kWh("40140.615")))
		}},
		{"two makes by turns", time.Second, func(p *port, i int) {
			p.send(energyTelegram([]string{"KFM5KAIFA-METER", "ISK5\\2M550T-1012"}[i/8%2], "", kWh("40140.615")))
		}},
		{"a counter that is wrong by turns", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", "", kWh([]string{"40140.615", "0.000", "55140.000"}[i%3])))
		}},
		{"a counter that is reset by turns", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", "", kWh([]string{"40140.615", "12.000"}[i/8%2])))
		}},
		{"silent and speaking by turns", 2 * time.Minute, func(p *port, _ int) {
			for range 5 {
				p.send(good)
				advance(time.Second)
			}
		}},
		{"closed after each telegram", 5 * time.Second, func(p *port, _ int) { p.send(good); p.closes() }},
		{"closed at once", 5 * time.Second, func(p *port, _ int) { p.closes() }},
		{"broken in ever new words", 5 * time.Second, func(p *port, i int) {
			p.fail(fmt.Errorf("read tcp 192.0.2.1:%d->192.0.2.9:8088: %w", 40000+i, io.ErrUnexpectedEOF))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(port)
				h := run(t, source(p))
				defer h.end()
				for i, end := 0, time.Now().Add(time.Hour); time.Now().Before(end); i++ {
					tt.send(p, i)
					advance(tt.every)
				}
				const most = 80 // the hour has six times ten minutes, and a line a minute for the port that is opened again
				if got := strings.Count(h.log.String(), "\n"); got > most {
					t.Errorf("%d lines in an hour, want %d at most; the first:\n%.4000s", got, most, h.log)
				} else {
					t.Log(got, "lines")
				}
			})
		})
	}
}
