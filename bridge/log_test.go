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

// closeConnection ends the connection as the other side does.
func (p *port) closeConnection() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.writer.Close() // never fails
}

// TestLogFloods repeats an event of a meter or a reader for an hour, and checks that the log gets few lines.
func TestLogFloods(t *testing.T) {
	good := nextTelegram(newMeter(t, "p1-se-aidon"))
	damaged := bytes.Replace(good, []byte("(00"), []byte("(0?"), 1)
	encrypted := func(i int) []byte { // no key decrypts it; the last byte makes each one different
		telegram := nextTelegram(newMeter(t, "kamstrup-dk"))
		return append(telegram, byte(i))
	}
	for _, tt := range []struct {
		name  string
		every time.Duration
		send  func(p *port, i int)
	}{
		{"damaged telegrams", time.Second, func(p *port, _ int) { p.send(damaged) }},
		{"damaged and good, alternating", time.Second, func(p *port, i int) { p.send([][]byte{damaged, good}[i%2]) }},
		{"encrypted and good, alternating", time.Second, func(p *port, i int) { p.send([][]byte{encrypted(i), good}[i%2]) }},
		{"two meters, alternating", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", fmt.Sprintf("%016d", 3131313131313131+i/8%2), kWh("40140.615")))
		}},
		{"two makes, alternating", time.Second, func(p *port, i int) {
			p.send(energyTelegram([]string{"KFM5KAIFA-METER", "ISK5\\2M550T-1012"}[i/8%2], "", kWh("40140.615")))
		}},
		{"a counter that is wrong now and then", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", "", kWh([]string{"40140.615", "0.000", "55140.000"}[i%3])))
		}},
		{"a counter that is reset now and then", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", "", kWh([]string{"40140.615", "12.000"}[i/8%2])))
		}},
		{"silent and online, alternating", 2 * time.Minute, func(p *port, _ int) {
			for range 5 {
				p.send(good)
				advance(time.Second)
			}
		}},
		{"closed after each telegram", 5 * time.Second, func(p *port, _ int) { p.send(good); p.closeConnection() }},
		{"closed at once", 5 * time.Second, func(p *port, _ int) { p.closeConnection() }},
		{"broken with a new error text each time", 5 * time.Second, func(p *port, i int) {
			p.fail(fmt.Errorf("read tcp 192.0.2.1:%d->192.0.2.9:8088: %w", 40000+i, io.ErrUnexpectedEOF))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(port)
				running := run(t, sourceOf(p))
				defer running.end()
				for i, end := 0, time.Now().Add(time.Hour); time.Now().Before(end); i++ {
					tt.send(p, i)
					advance(tt.every)
				}
				const maxLines = 80 // six for each kind of event, and one a minute for the port that is opened again
				if got := strings.Count(running.log.String(), "\n"); got > maxLines {
					t.Errorf("%d lines in an hour, want %d at most; the first:\n%.4000s", got, maxLines, running.log)
				} else {
					t.Log(got, "lines")
				}
			})
		})
	}
}

// TestUnitWarning checks that one warning is logged for a Kamstrup meter that counts in Wh, since its counter is read ten times too high. There is
// none for meters that count in 10 Wh.
func TestUnitWarning(t *testing.T) {
	for _, tt := range []struct {
		family string
		want   int // warnings
	}{
		{"kamstrup-se", 1},
		{"kamstrup-no", 0},
		{"p1-se-kamstrup", 0},
	} {
		t.Run(tt.family, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(port)
				running := run(t, sourceOf(p))
				defer running.end()
				synctest.Wait()
				m, end := newMeter(t, tt.family), time.Now().Add(6*time.Hour)
				for at, telegram := m.Next(); at.Before(end); at, telegram = m.Next() {
					advance(time.Until(at))
					p.send(telegram)
				}
				if got := strings.Count(running.log.String(), "import_energy counts ten times"); got != tt.want {
					t.Errorf("logged %d times, want %d; log:\n%s", got, tt.want, running.log)
				}
			})
		})
	}
}
