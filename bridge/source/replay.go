package source

import (
	"context"
	"io"
	"os"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// Replay returns a source that reads a file once, as fast as the outputs take it. The file holds the bytes of a port in any form
// that Bytes knows.
func Replay(path string) bridge.Source {
	return bridge.Source{Recorded: true, Candidates: bridge.Fixed(bridge.Candidate{Port: path, Dial: func(context.Context) (io.ReadCloser, error) {
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
