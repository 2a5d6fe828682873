//go:build linux

package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
)

// pluggedPorts returns a new folder of devices with a pseudo-terminal at each of the paths.
func pluggedPorts(t *testing.T, paths ...string) source.Folder {
	t.Helper()
	folder := t.TempDir()
	for _, name := range paths {
		master, slave, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = master.Close() }) // removes the pseudo-terminal
		path := filepath.Join(folder, name)
		for _, err := range []error{slave.Close(), os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(slave.Name(), path)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return source.Folder(folder)
}

// endpointNames returns the port and the line setting of each endpoint, such as "ttyUSB0 2400 8E1".
func endpointNames(t *testing.T, folder source.Folder, s probe.Source) (all []string) {
	t.Helper()
	for _, e := range endpoints(t, s) {
		path, err := filepath.Rel(string(folder), e.Port)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, path+" "+e.Line)
	}
	return all
}

// TestPorts tests that ports are listed by the names of their adapters, or by the names of the devices if no adapter has a name.
func TestPorts(t *testing.T) {
	tests := []struct {
		name  string
		paths []string
		want  []string
	}{
		{"no port", nil, nil},
		{"adapters with names", []string{"serial/by-id/usb-b", "serial/by-id/usb-a", "ttyUSB0"}, []string{"serial/by-id/usb-a", "serial/by-id/usb-b"}},
		{"devices only", []string{"ttyUSB1", "ttyUSB0", "ttyACM0", "ttyAMA0", "serial0", "ttyS0", "tty1"},
			[]string{"ttyUSB0", "ttyUSB1", "ttyACM0", "ttyAMA0", "serial0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := pluggedPorts(t, tt.paths...)
			var got []string
			for _, p := range folder.Ports() {
				if !strings.HasPrefix(p.Device, "/dev/pts/") {
					t.Errorf("%s leads to %s, want a pseudo-terminal", p.Path, p.Device)
				}
				got = append(got, strings.TrimPrefix(p.Path, string(folder)+"/"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error("ports (-want +got):\n" + diff)
			}
		})
	}
}

// TestPortsOfOneDevice checks that a port with two names is listed once, and that a link to a missing device is not listed.
func TestPortsOfOneDevice(t *testing.T) {
	folder := pluggedPorts(t, "ttyAMA0")
	for name, target := range map[string]string{"serial0": "ttyAMA0", "ttyUSB0": "missing"} {
		if err := os.Symlink(target, filepath.Join(string(folder), name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := folder.Ports(); len(got) != 1 || filepath.Base(got[0].Path) != "ttyAMA0" {
		t.Errorf("got %v, want only ttyAMA0", got)
	}
}

// TestAutoTriesEachPortWithTheMostUsualLineFirst tests the order of the endpoints: the first line on all ports, then the second line on all
// ports.
func TestAutoTriesEachPortWithTheMostUsualLineFirst(t *testing.T) {
	folder := pluggedPorts(t, "serial/by-id/usb-a", "serial/by-id/usb-b")
	s := folder.Auto(source.UsualLines[:2]...)
	want := []string{
		"serial/by-id/usb-a 115200 8N1", "serial/by-id/usb-b 115200 8N1", "serial/by-id/usb-a 2400 8E1", "serial/by-id/usb-b 2400 8E1",
	}
	if diff := cmp.Diff(want, endpointNames(t, folder, s)); diff != "" {
		t.Error("endpoints (-want +got):\n" + diff)
	}
	if !s.EndpointsChange {
		t.Error("got EndpointsChange false, want true")
	}
	if got := len(endpoints(t, folder.Auto())); got != 2*len(source.UsualLines) {
		t.Errorf("Auto without lines: got %d endpoints of two ports, want %d", got, 2*len(source.UsualLines))
	}
}

// TestAutoSkipsPortsInUse tests that Auto skips a port that another meter of this program or another program reads.
func TestAutoSkipsPortsInUse(t *testing.T) {
	folder := pluggedPorts(t, "ttyUSB0", "ttyUSB1")
	s := folder.Auto(source.UsualLines[0])
	wire := open(t, endpoints(t, s)[0]) // as another meter of this program opens ttyUSB0
	if diff := cmp.Diff([]string{"ttyUSB1 115200 8N1"}, endpointNames(t, folder, s)); diff != "" {
		t.Error("endpoints while ttyUSB0 is in use (-want +got):\n" + diff)
	}
	endHolder := startHolder(t, folder.Ports()[1].Device) // another program opens ttyUSB1
	_, err := s.Endpoints()
	if err == nil || !strings.Contains(err.Error(), "none of 2 serial ports") || !strings.Contains(err.Error(), "reads it") {
		t.Errorf("both ports are in use: got error %v, want that none of 2 serial ports can be read", err)
	}
	endHolder()
	if err := wire.Close(); err != nil {
		t.Fatal(err)
	}
	if got := endpointNames(t, folder, s); len(got) == 0 || got[0] != "ttyUSB0 115200 8N1" {
		t.Errorf("ttyUSB0 was closed: got endpoints %v, want ttyUSB0 first", got)
	}
}

// TestAutoWithoutPorts tests that the error says where Auto has looked for ports, and what to do.
func TestAutoWithoutPorts(t *testing.T) {
	folder := pluggedPorts(t)
	_, err := folder.Auto().Endpoints()
	for _, want := range []string{
		"no serial port found", string(folder) + "/serial/by-id/*", string(folder) + "/ttyUSB*", "plug in the cable", `devices: ["/dev/ttyUSB0`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q in it", err, want)
		}
	}
}

// startHolder starts a program that has the port open. The returned function ends the program.
func startHolder(t *testing.T, device string) (endHolder func()) {
	t.Helper()
	f, err := os.OpenFile(device, os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	cmd.Stdin = f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endHolder = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // an error means that the program has already ended
		_ = cmd.Wait()
	})
	t.Cleanup(endHolder)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return endHolder
}

// TestCheckPort tests the errors for ports that are missing or in use, and that CheckPort does not keep a port open.
func TestCheckPort(t *testing.T) {
	folder := pluggedPorts(t, "free", "other", "ours") // "other" is opened by another program, "ours" by this program
	path := func(name string) string { return filepath.Join(string(folder), name) }
	device, err := filepath.EvalSymlinks(path("other"))
	if err != nil {
		t.Fatal(err)
	}
	startHolder(t, device)
	open(t, onlyEndpoint(t, source.Serial(path("ours"), source.UsualLines[0])))
	tests := []struct {
		port string
		want []string // parts of the error; nil if the port can be read
	}{
		{path("free"), nil},
		{path("free"), nil}, // fails if the first CheckPort has kept the port open
		{path("other"), []string{"another program reads it, sleep (process ", "stop that program"}},
		{path("ours"), []string{"reads it"}},
		{path("missing"), []string{"no such port", "ls /dev/serial/by-id"}},
	}
	for _, tt := range tests {
		err := source.CheckPort(tt.port)
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: got error %v, want %q", tt.port, err, tt.want)
		}
		for _, want := range tt.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got error %q, want %q in it", tt.port, err, want)
			}
		}
	}
}

// TestPortHasOneReader checks that a port cannot be opened twice, not even by root, and that it can be opened again after Close.
func TestPortHasOneReader(t *testing.T) {
	folder := pluggedPorts(t, "ttyUSB0")
	e := onlyEndpoint(t, source.Serial(filepath.Join(string(folder), "ttyUSB0"), source.UsualLines[0]))
	wire := open(t, e)
	if _, err := e.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "reads it") {
		t.Errorf("second Dial: got error %v, want that another program or meter reads the port", err)
	}
	if err := wire.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, e)
}
