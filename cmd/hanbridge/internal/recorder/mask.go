package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// masked is what was masked, and what was left out for want of being able to.
type masked struct {
	inside   int64 // bytes that belong to telegrams
	ciphered bool  // some came ciphered
}

// masker is the Decoder of a capture that keeps masked telegrams alone.
type masker struct {
	*listener
	*mask.Masker
}

// Next keeps the next telegram, and returns what it said.
func (m *masker) Next() (*meter.Reading, error) {
	t, err := m.Masker.Next()
	if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
		m.mask.inside += int64(bad.Bytes)
	}
	if err != nil {
		return nil, err
	}
	m.mask.inside += int64(t.Length)
	if t.Encrypted && !m.mask.ciphered {
		m.mask.ciphered = true
		note := fmt.Sprintf(capture.TestKeyPrefix+": hanbridge decode --key %s --auth-key %s\n", mask.TestKey, mask.TestKey)
		if err := m.write([]byte(note)); err != nil {
			return nil, err
		}
	}
	return t.Reading, m.keep(m.received(), t.Bytes)
}

// recording is a file that was captured. received returns when what was read last came, now where the file does not tell.
func recording(name string) (endpoints func() ([]probe.Endpoint, error), received func() time.Time) {
	var wire *virtualport.Wire
	dial := func(context.Context) (io.ReadCloser, error) {
		f, err := cli.OpenRecording("capture --anonymise --from", name)
		if err != nil {
			return nil, err
		}
		wire = virtualport.NewRecordedWire(f, 0)
		return openedRecording{wire, f}, nil
	}
	return probe.Fixed(probe.Endpoint{Port: name, Dial: dial}), func() time.Time {
		if wire.At.IsZero() {
			return time.Now()
		}
		return wire.At
	}
}

// openedRecording is a recording that owns its file.
type openedRecording struct {
	*virtualport.Wire
	file io.Closer
}

func (r openedRecording) Close() error { return errors.Join(r.Wire.Close(), r.file.Close()) }
