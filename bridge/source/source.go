// Package source opens the connections to meters: serial ports, TCP connections to network-attached readers, and recordings. It never writes a
// byte to a meter.
package source

import (
	"context"
	"io"
	"os"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// Serial returns a source that reads the serial port at path in raw mode. It has one endpoint for each of the lines, in the same order.
func Serial(path string, lines ...Line) probe.Source {
	var all []probe.Endpoint
	for _, l := range lines {
		all = append(all, serialEndpoint(path, l))
	}
	return probe.Source{Endpoints: probe.Fixed(all...)}
}

func serialEndpoint(path string, l Line) probe.Endpoint {
	return probe.Endpoint{Port: path, Line: l.String(), Baud: l.Baud, Dial: func(context.Context) (io.ReadCloser, error) {
		return openSerial(path, l)
	}}
}

// Auto returns a source that tries all serial ports of this machine. It tries each port with the first line, then each port with the second
// line, and so on. Without lines it tries UsualLines. It looks for ports again at the start of each round. It does not open a port that
// another program reads, or that this program already reads for another meter.
func Auto(lines ...Line) probe.Source { return Devices.Auto(lines...) }

// Auto is like the function Auto, for the ports in f.
func (f Folder) Auto(lines ...Line) probe.Source {
	if len(lines) == 0 {
		lines = UsualLines
	}
	return probe.Source{EndpointsChange: true, Endpoints: func() ([]probe.Endpoint, error) {
		paths, err := f.freePorts()
		var all []probe.Endpoint
		for _, l := range lines {
			for _, path := range paths {
				all = append(all, serialEndpoint(path, l))
			}
		}
		return all, err
	}}
}

// Replay returns a source that reads a file once, as fast as the outputs take the telegrams. The file holds the bytes of a port in any form
// that capture.NewBytesReader reads.
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
