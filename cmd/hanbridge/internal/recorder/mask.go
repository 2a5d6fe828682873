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

// maskCounts says what an anonymised capture has received so far.
type maskCounts struct {
	telegramBytes int64 // number of bytes that belong to telegrams
	encrypted     bool  // a telegram was encrypted; the comment line with the test key was written before the first of these telegrams
}

// maskingDecoder is the probe.Decoder of an anonymised capture. It masks each telegram and writes it to the file.
type maskingDecoder struct {
	*listener
	*mask.Masker
}

// Next masks the next telegram, writes the masked telegram to the file, and returns its reading.
func (m *maskingDecoder) Next() (*meter.Reading, error) {
	t, err := m.Masker.Next()
	if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
		m.mask.telegramBytes += int64(bad.Bytes)
	}
	if err != nil {
		return nil, err
	}
	m.mask.telegramBytes += int64(t.Length)
	if t.Encrypted && !m.mask.encrypted {
		m.mask.encrypted = true
		note := fmt.Sprintf(capture.TestKeyPrefix+": hanbridge decode --key %s --auth-key %s\n", mask.TestKey, mask.TestKey)
		if err := m.write([]byte(note)); err != nil {
			return nil, err
		}
	}
	return t.Reading, m.writeRecord(m.received(), t.Bytes)
}

// recording returns the endpoint that reads a captured file. received returns the arrival time of the last bytes read. If the file has no
// times, received returns the present time.
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

// openedRecording is an open recording. Close closes its file too.
type openedRecording struct {
	*virtualport.Wire
	file io.Closer
}

func (r openedRecording) Close() error { return errors.Join(r.Wire.Close(), r.file.Close()) }
