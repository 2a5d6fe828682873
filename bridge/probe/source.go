// Package probe finds the port and the line setting of a meter, and reads the meter there. The bridge, doctor and capture use the same
// search.
//
// A Source has endpoints: ports with line settings. Probe opens one after another, in rounds. An endpoint is proved by a verified
// telegram, or by an intact one that is encrypted or of an unsupported kind. Probe reads that endpoint as long as telegrams come.
package probe

import (
	"context"
	"io"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A Dialer opens the connection of an endpoint, called a wire. The caller must close it. Close ends a blocked Read.
type Dialer func(ctx context.Context) (io.ReadCloser, error)

// An Endpoint is a port with a line setting.
type Endpoint struct {
	// Port and Line describe the endpoint to people: /dev/ttyUSB0 and 115200 8N1. Both together are unique within a source.
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
	// Endpoints returns the endpoints in the order in which they are tried. It is called at the beginning of each round. An error says what a
	// person can do.
	Endpoints func() ([]Endpoint, error)
	// EndpointsChange is true if Endpoints can return other endpoints the next time. Then even the only endpoint is given up if it is
	// silent.
	EndpointsChange bool
	// Recorded is true for a file, which comes to an end and can wait for the outputs.
	Recorded bool
	// Options are the options of the decoder, such as the keys.
	Options meter.Options
}

// Fixed returns a function for Source.Endpoints that always returns all.
func Fixed(all ...Endpoint) func() ([]Endpoint, error) {
	return func() ([]Endpoint, error) { return all, nil }
}
