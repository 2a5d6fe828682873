// Package probe finds the port and the line setting of a meter, and reads the meter there. The bridge, doctor and capture use the same
// search.
//
// A Source has endpoints. An endpoint is a port with a line setting. In each round, every endpoint has a turn, in which Probe opens the
// endpoint and waits for telegrams. A verified telegram proves that an endpoint is right. An intact telegram that is encrypted or of an
// unsupported kind proves this too. Probe reads the proved endpoint as long as telegrams arrive.
package probe

import (
	"context"
	"io"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A Dialer opens a connection to an endpoint and returns the connection, called a wire. The caller must close the wire. Close ends a blocked
// Read.
type Dialer func(ctx context.Context) (io.ReadCloser, error)

// An Endpoint is a port with a line setting.
type Endpoint struct {
	// Port and Line describe the endpoint to users, such as /dev/ttyUSB0 and 115200 8N1. No two endpoints of a source have the same Port
	// and Line.
	Port, Line string
	// Baud is the speed of a serial line in bits a second, 0 for other ports.
	Baud int
	// Dial opens the port with the line setting.
	Dial Dialer
}

// Same reports whether e and f are the same port with the same line setting.
func (e Endpoint) Same(f Endpoint) bool { return e.Port == f.Port && e.Line == f.Line }

// A Source is where a meter's bytes come from.
type Source struct {
	// Endpoints returns the endpoints in the order in which they are tried. It is called at the beginning of each round. Its error says what
	// a user can do.
	Endpoints func() ([]Endpoint, error)
	// EndpointsChange is true if Endpoints can return other endpoints in the next round. If so, the turn of an endpoint ends even if
	// Endpoints returned no other endpoint.
	EndpointsChange bool
	// Recorded is true for a file. A file comes to an end, and the reading of a file can wait for the outputs.
	Recorded bool
	// Options are the options of the decoder, such as the keys.
	Options meter.Options
}

// Fixed returns a function for Source.Endpoints that always returns all.
func Fixed(all ...Endpoint) func() ([]Endpoint, error) {
	return func() ([]Endpoint, error) { return all, nil }
}
