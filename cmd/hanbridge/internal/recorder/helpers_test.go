package recorder

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// checkErr checks that the text of err contains want, or that err is nil if want is "".
func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error: got %v, want none", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error: got %v, want one that contains %q", err, want)
	}
}

// invertedWire returns a wire on which a meter sends with an inverted signal. Its bytes are those of a receiver with the line setting l.
func invertedWire(f simulate.Family, l source.Line) io.ReadCloser {
	sender, err := source.ParseLine(f.Line)
	if err != nil {
		panic(err)
	}
	sending := simulate.LineSetting{Baud: sender.Baud, DataBits: sender.DataBits, Parity: sender.Parity, StopBits: sender.StopBits, Inverted: true}
	receiving := simulate.LineSetting{Baud: l.Baud, DataBits: l.DataBits, Parity: l.Parity, StopBits: l.StopBits}
	meter := simulate.NewMeter(f, 1, time.Now())
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		at, telegram := meter.Next()
		return at, sending.ReceivedBy(nil, telegram, receiving), nil
	})
}

// repeatedBytes returns a wire on which the same bytes arrive again and again, once per interval.
func repeatedBytes(interval time.Duration, bytes string) io.ReadCloser {
	at, text := time.Now(), "" // the first delivery has no bytes, and starts the first interval
	return virtualport.NewWire(1, func() (time.Time, []byte, error) {
		due, arrived := at, []byte(text)
		at, text = at.Add(interval), bytes
		return due, arrived, nil
	})
}

// silence returns a wire on which no byte arrives.
func silence() io.ReadCloser { return repeatedBytes(24*time.Hour, "") }
