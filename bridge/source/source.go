// Package source opens the wires that meters speak on. It only ever reads: no byte is written to a meter.
package source

import (
	"context"
	"io"
	"os"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// Serial returns a source that reads a serial port, raw, trying each of lines in turn.
func Serial(path string, lines ...Line) probe.Source {
	var all []probe.Endpoint
	for _, l := range lines {
		all = append(all, endpoint(path, l))
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

func endpoint(path string, l Line) probe.Endpoint {
	return probe.Endpoint{Port: path, Line: l.String(), Baud: l.Baud, Dial: func(context.Context) (io.ReadCloser, error) {
		return openSerial(path, l)
	}}
}

// Auto returns a source that reads whichever serial port of this machine gives telegrams: each port with the first of lines,
// then each with the second. Ports that are in use, by another program or by another meter of this one, are left alone. It
// looks for ports each time that all have had their turn. Without lines it tries UsualLines.
func Auto(lines ...Line) probe.Source { return Devices.Auto(lines...) }

// Auto returns a source of the ports in f, as the function of this name does.
func (f Folder) Auto(lines ...Line) probe.Source {
	if len(lines) == 0 {
		lines = UsualLines
	}
	return probe.Source{EndpointsChange: true, Endpoints: func() ([]probe.Endpoint, error) {
		paths, err := f.free()
		var all []probe.Endpoint
		for _, l := range lines {
			for _, path := range paths {
				all = append(all, endpoint(path, l))
			}
		}
		return all, err
	}}
}

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
		}{capture.NewBytesReader(f), f}, nil
	}})}
}
