package source

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A Port is a serial port of this machine.
type Port struct {
	// Path names the adapter, where the system does: it stays the same when the cable is plugged in again.
	Path string
	// Device is what Path leads to: /dev/ttyUSB0.
	Device string
}

// A Folder is where the devices of a machine are: Devices, but for tests.
type Folder string

// Devices is the folder of this machine.
const Devices Folder = "/dev"

// Where ports are: by the name of their adapter, and, where nobody keeps these names, by their kind. The pins of a Raspberry
// Pi are ttyAMA and serial0.
var (
	named = []string{"serial/by-id/*"}
	plain = []string{"ttyUSB*", "ttyACM*", "ttyAMA*", "serial0"}
)

// Ports returns the serial ports of this machine, in use or not, in the order of their names.
func Ports() []Port { return Devices.Ports() }

// Ports returns the ports in f, as the function of this name does.
func (f Folder) Ports() []Port {
	if ports := f.matching(named); len(ports) > 0 {
		return ports
	}
	return f.matching(plain)
}

// matching gives each device once.
func (f Folder) matching(patterns []string) (ports []Port) {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(filepath.Join(string(f), pattern)) // the only error is a bad pattern
		for _, path := range paths {
			device, err := filepath.EvalSymlinks(path)
			if err != nil || seen[device] { // a name may outlive its port for a moment
				continue
			}
			seen[device] = true
			ports = append(ports, Port{Path: path, Device: device})
		}
	}
	return ports
}

// errNoPort says where ports were looked for.
func (f Folder) errNoPort() error {
	var places []string
	for _, pattern := range append(named[:1:1], plain...) {
		places = append(places, filepath.Join(string(f), pattern))
	}
	return fmt.Errorf("no serial port found, looked for %s: plug in the cable. Container: give it the port, "+
		`devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]`, strings.Join(places, ", "))
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

// CheckPort returns why the port at path cannot be read at this moment, nil when it can: there is none, it may not be opened,
// another program reads it. It opens the port for a moment, unless somebody is known to read it.
func CheckPort(path string) error {
	if by := holders().of(path); len(by) > 0 {
		return busy(path, by)
	}
	wire, err := openSerial(path, UsualLines[0])
	if err != nil {
		return err
	}
	return wire.Close()
}

// openable opens the port without setting it up.
func openable(path string) error {
	l, err := lock(path)
	if err != nil {
		return explain(path, err)
	}
	return l.Close()
}
