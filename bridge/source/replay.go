package source

import (
	"context"
	"io"
	"os"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// Replay returns a source that reads a file once, as fast as the outputs take it. The file holds the bytes of a port in any form
// that Bytes knows.
func Replay(path string) probe.Source {
	return probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{Port: path, Dial: func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{capture.Bytes(f), f}, nil
	}})}
}
