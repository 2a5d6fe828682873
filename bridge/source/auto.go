package source

import (
	"fmt"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// Auto returns a source that reads whichever serial port of this machine gives telegrams: each port with the first of lines,
// then each with the second. Ports that are in use, by another program or by another meter of this one, are left alone. It
// looks for ports each time that all have had their turn. Without lines it tries Usual.
func Auto(lines ...Line) probe.Source { return Devices.Auto(lines...) }

// Auto returns a source of the ports in f, as the function of this name does.
func (f Folder) Auto(lines ...Line) probe.Source {
	if len(lines) == 0 {
		lines = Usual
	}
	return probe.Source{Changing: true, Endpoints: func() ([]probe.Endpoint, error) {
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

// free returns the paths of the ports that can be opened and that nobody reads; an error where there is none.
func (f Folder) free() (paths []string, err error) {
	ports := f.Ports()
	if len(ports) == 0 {
		return nil, f.errNoPort()
	}
	var first error
	held := holders()
	for _, p := range ports {
		if by := held.of(p.Device); len(by) > 0 {
			err = busy(p.Path, by)
		} else {
			err = openable(p.Path)
		}
		if err == nil {
			paths = append(paths, p.Path)
		} else if first == nil {
			first = err
		}
	}
	switch {
	case len(paths) > 0:
		return paths, nil
	case len(ports) == 1:
		return nil, first
	}
	return nil, fmt.Errorf("none of %d serial ports can be read, the first: %w", len(ports), first)
}

// openable opens the port without setting it up.
func openable(path string) error {
	l, err := lock(path)
	if err != nil {
		return explain(path, err)
	}
	return l.Close()
}
