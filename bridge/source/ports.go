package source

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A Port is a serial port of this machine.
type Port struct {
	// Path is the link that is named after the adapter, which stays the same when the cable is plugged in again. If there is no such link,
	// Path is the path of the device.
	Path string
	// Device is the device to which Path leads: /dev/ttyUSB0.
	Device string
}

// A Folder has the devices of a machine: Devices, or another folder in tests.
type Folder string

// Devices is the folder of this machine.
const Devices Folder = "/dev"

// Patterns of serial ports: names of adapters, and kinds of devices for systems without such names. The pins of a Raspberry Pi are ttyAMA
// and serial0.
var (
	adapterPatterns = []string{"serial/by-id/*"}
	kindPatterns    = []string{"ttyUSB*", "ttyACM*", "ttyAMA*", "serial0"}
)

// Ports returns the serial ports of this machine, in use or not, in the order of their names.
func Ports() []Port { return Devices.Ports() }

// Ports returns the ports in f, as the function Ports does.
func (f Folder) Ports() []Port {
	if ports := f.matching(adapterPatterns); len(ports) > 0 {
		return ports
	}
	return f.matching(kindPatterns)
}

// matching returns the ports that match one of patterns, each device once.
func (f Folder) matching(patterns []string) (ports []Port) {
	added := map[string]bool{} // by device
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(filepath.Join(string(f), pattern)) // the only error is a bad pattern
		for _, path := range paths {
			device, err := filepath.EvalSymlinks(path)
			if err != nil || added[device] { // a link can exist for a moment longer than its port
				continue
			}
			added[device] = true
			ports = append(ports, Port{Path: path, Device: device})
		}
	}
	return ports
}

// errNoPort lists where ports were looked for.
func (f Folder) errNoPort() error {
	var places []string
	for _, pattern := range append(adapterPatterns[:1:1], kindPatterns...) {
		places = append(places, filepath.Join(string(f), pattern))
	}
	return fmt.Errorf("no serial port found, looked for %s: plug in the cable. Container: give it the port, "+
		`devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]`, strings.Join(places, ", "))
}

// freePorts returns the paths of the ports that can be opened and that nobody reads. It returns an error if there is none.
func (f Folder) freePorts() (paths []string, err error) {
	ports := f.Ports()
	if len(ports) == 0 {
		return nil, f.errNoPort()
	}
	var firstErr error
	holders := findHolders()
	for _, p := range ports {
		if by := holders.of(p.Device); len(by) > 0 {
			err = errBusy(p.Path, by)
		} else {
			err = checkOpen(p.Path)
		}
		if err == nil {
			paths = append(paths, p.Path)
		} else if firstErr == nil {
			firstErr = err
		}
	}
	switch {
	case len(paths) > 0:
		return paths, nil
	case len(ports) == 1:
		return nil, firstErr
	}
	return nil, fmt.Errorf("none of %d serial ports can be read, the first: %w", len(ports), firstErr)
}

// CheckPort returns nil if the port at path can be read at this moment. Otherwise the error says why not: there is no such port, permission
// is denied, or another program reads it. It opens the port for a moment, unless another program is known to read it.
func CheckPort(path string) error {
	if by := findHolders().of(path); len(by) > 0 {
		return errBusy(path, by)
	}
	wire, err := openSerial(path, UsualLines[0])
	if err != nil {
		return err
	}
	return wire.Close()
}

// checkOpen opens and closes the port without changing its setting.
func checkOpen(path string) error {
	l, err := lock(path)
	if err != nil {
		return explainOpen(path, err)
	}
	return l.Close()
}
