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

// closeConnection closes the connection on the side of the meter.
func (p *port) closeConnection() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.writer.Close() // never fails
}

// TestLogFloods repeats an event of a meter or a reader for an hour, and checks that the log gets few lines.
func TestLogFloods(t *testing.T) {
	good := nextTelegram(newMeter(t, "p1-se-aidon"))
	damaged := bytes.Replace(good, []byte("(00"), []byte("(0?"), 1)
	encrypted := func(i int) []byte { // there is no key to decrypt it
		telegram := nextTelegram(newMeter(t, "kamstrup-dk"))
		return append(telegram, byte(i)) // the last byte is not part of the telegram
	}
	for _, tt := range []struct {
		name  string
		every time.Duration
		send  func(p *port, i int)
	}{
		{"damaged telegrams", time.Second, func(p *port, _ int) { p.send(damaged) }},
		{"damaged and good telegrams, alternating", time.Second, func(p *port, i int) { p.send([][]byte{damaged, good}[i%2]) }},
		{"encrypted and good telegrams, alternating", time.Second, func(p *port, i int) { p.send([][]byte{encrypted(i), good}[i%2]) }},
		{"two meters, alternating after each eight telegrams", time.Second, func(p *port, i int) {
			p.send(energyTelegram("ABC5metering", fmt.Sprintf("%016d", 3131313131313131+i/8%2), kWh("40140.615")))
		}},
		{"two makes, alternating after each eight telegrams", time.Second, func(p *port, i int) {
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
		{"a connection that is closed after each telegram", 5 * time.Second, func(p *port, _ int) { p.send(good); p.closeConnection() }},
		{"a connection that is closed at once", 5 * time.Second, func(p *port, _ int) { p.closeConnection() }},
		{"a connection that breaks with a new error text each time", 5 * time.Second, func(p *port, i int) {
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
					t.Errorf("got %d lines in an hour, want %d at most; the first ones:\n%.4000s", got, maxLines, running.log)
				} else {
					t.Log(got, "lines")
				}
			})
		})
	}
}

// TestUnitWarning checks that one warning is logged for a Kamstrup meter that counts in Wh, because the decoder takes its unit for 10 Wh and the value
// is ten times too high. There is no warning for meters that count in 10 Wh.
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
