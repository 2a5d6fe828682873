package source

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Port is a serial port of this machine.
type Port struct {
	// Path is a link with the name of the adapter. It stays the same when the cable is plugged in again. If there is no such link, Path is
	// the path of the device.
	Path string
	// Device is the path of the device itself, such as /dev/ttyUSB0.
	Device string
}

// A Folder is the path of a folder with the devices of a machine. It is Devices, or another folder in tests.
type Folder string

// Devices is the folder of this machine.
const Devices Folder = "/dev"

var (
	adapterPatterns = []string{"serial/by-id/*"}                           // links with the names of adapters
	devicePatterns  = []string{"ttyUSB*", "ttyACM*", "ttyAMA*", "serial0"} // for systems without such links; the last two use pins of a Raspberry Pi
)

// Ports returns the serial ports of this machine, including those in use, in the order of their names.
func Ports() []Port { return Devices.Ports() }

// Ports is like the function Ports, for the ports in f.
func (f Folder) Ports() []Port {
	if ports := f.matching(adapterPatterns); len(ports) > 0 {
		return ports
	}
	return f.matching(devicePatterns)
}

// matching returns the ports that match any of the patterns. It returns each device only once.
func (f Folder) matching(patterns []string) (ports []Port) {
	added := map[string]bool{} // by device
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(filepath.Join(string(f), pattern)) // the only error is a bad pattern
		for _, path := range paths {
			device, err := filepath.EvalSymlinks(path)
			if err != nil || added[device] { // an error means that the port was just unplugged, and its link still exists
				continue
			}
			added[device] = true
			ports = append(ports, Port{Path: path, Device: device})
		}
	}
	return ports
}

// errNoPort returns an error that says where Ports has looked.
func (f Folder) errNoPort() error {
	var places []string
	for _, pattern := range slices.Concat(adapterPatterns, devicePatterns) {
		places = append(places, filepath.Join(string(f), pattern))
	}
	return fmt.Errorf("no serial port found, looked for %s: plug in the cable. In a container: add the port with "+
		`devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]`, strings.Join(places, ", "))
}

// freePorts returns the paths of the ports that can be opened and that no program reads. It returns an error if there is no such port.
func (f Folder) freePorts() (paths []string, err error) {
	ports := f.Ports()
	if len(ports) == 0 {
		return nil, f.errNoPort()
	}
	var firstErr error
	holders := findHolders()
	for _, p := range ports {
		if readers := holders.of(p.Device); len(readers) > 0 {
			err = errBusy(p.Path, readers)
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
	return nil, fmt.Errorf("none of %d serial ports can be read; the error of the first port: %w", len(ports), firstErr)
}

// CheckPort returns nil if the port at path can be read at this moment. Otherwise the error says why not: there is no such port, permission is
// denied, or another program reads the port. CheckPort opens the port for a moment, unless it finds another program that reads the port.
func CheckPort(path string) error {
	if readers := findHolders().of(path); len(readers) > 0 {
		return errBusy(path, readers)
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
