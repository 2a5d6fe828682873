package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// masked is what was masked, and what was left out for want of being able to.
type masked struct {
	end      int64 // of the last telegram, in the stream
	between  int64 // bytes before it that belong to no telegram
	ciphered bool  // some came ciphered
}

// hearMasked is hear, and keeps masked telegrams alone.
func (l *listener) hearMasked(wire io.ReadCloser, o meter.Options) (next func() error) {
	m := mask.New(evident{l, wire}, o)
	start := l.bytes
	return func() error {
		t, err := m.Next()
		if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			l.mask.passes(start+bad.Offset, bad.Bytes)
		}
		if err != nil {
			return err
		}
		l.mask.passes(start+t.Offset, t.Length)
		if t.Ciphered && !l.mask.ciphered {
			l.mask.ciphered = true
			note := fmt.Sprintf(render.TestKeyNote+": hanbridge decode --key %s --auth-key %s\n", mask.TestKey, mask.TestKey)
			if _, err := io.WriteString(l.out, note); err != nil {
				return errKeep{err}
			}
		}
		return l.keep(cameAt(wire), t.Bytes)
	}
}

// passes counts what stands between telegrams, up to the end of the next one.
func (m *masked) passes(offset int64, n int) {
	m.between += max(offset-m.end, 0)
	m.end = max(m.end, offset+int64(n))
}

// masked says what was written and what was left out.
func (l *listener) masked() string {
	text := fmt.Sprintf("telegrams: %d masked; left out: %d damaged, %d that could not be read or masked, %d bytes between telegrams",
		l.good, l.bad, l.sealed, l.mask.between+max(l.bytes-l.mask.end, 0))
	if l.mask.ciphered {
		text += "; what was ciphered is ciphered with a public test key, which stands in the file"
	}
	return text
}

// capturedSource is a file that was captured, with its times.
func capturedSource(name string) probe.Source {
	return probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
		Port: name, Dial: func(context.Context) (io.ReadCloser, error) {
			f, err := cli.OpenRecording("capture --anonymise --from", name)
			if err != nil {
				return nil, err
			}
			return openedReplay{&virtualport.ReplayedWire{Pace: virtualport.NewPace(0), Capture: capture.NewReader(f)}, f}, nil
		},
	})}
}

// openedReplay is a replay that owns its file.
type openedReplay struct {
	*virtualport.ReplayedWire
	file io.Closer
}

func (r openedReplay) Close() error { return errors.Join(r.ReplayedWire.Close(), r.file.Close()) }

// cameAt returns when what was read last from a wire came.
func cameAt(wire io.Reader) time.Time {
	if r, ok := wire.(openedReplay); ok && !r.At.IsZero() {
		return r.At
	}
	return time.Now()
}
