//go:build linux

package source_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// ptyPair opens a pseudo-terminal. The bytes that are written to master can be read from the port at path.
func ptyPair(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = master.Close() // an error means that the test has already closed it
		_ = slave.Close()
	})
	return master, slave.Name()
}

// TestSerialGivesEveryByteUnchanged tests that all bytes arrive unchanged, and that no byte is sent back to the meter.
func TestSerialGivesEveryByteUnchanged(t *testing.T) {
	for _, l := range append([]source.Line{{Baud: 9600, DataBits: 7, Parity: 'O', StopBits: 2}}, source.UsualLines...) {
		master, path := ptyPair(t)
		wire := open(t, onlyEndpoint(t, source.Serial(path, l)))
		if _, err := master.Write(everyByte); err != nil {
			t.Fatal(err)
		}
		expectBytes(t, wire, everyByte)
		if n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCINQ); n != 0 || err != nil {
			t.Errorf("%v: got %d bytes sent back (error %v), want none", l, n, err)
		}
	}
}

// TestSerialEndpoints tests that Serial has an endpoint for each of the lines.
func TestSerialEndpoints(t *testing.T) {
	s := source.Serial("/dev/ttyUSB0", source.UsualLines...)
	var got []string
	for _, e := range endpoints(t, s) {
		got = append(got, e.Port+" "+e.Line)
	}
	want := []string{
		"/dev/ttyUSB0 115200 8N1", "/dev/ttyUSB0 2400 8E1", "/dev/ttyUSB0 2400 8N1", "/dev/ttyUSB0 9600 7E1",
		"/dev/ttyUSB0 115200 7E1", "/dev/ttyUSB0 115200 8E1", "/dev/ttyUSB0 9600 8N1", "/dev/ttyUSB0 38400 8N1",
	}
	if !slices.Equal(got, want) || s.Recorded || s.EndpointsChange {
		t.Errorf("got endpoints %q, Recorded %v, EndpointsChange %v; want %q, false, false", got, s.Recorded, s.EndpointsChange, want)
	}
}

func TestSerialCloseEndsARead(t *testing.T) {
	_, path := ptyPair(t)
	checkCloseEndsRead(t, open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0]))))
}

// TestSerialPulledOut checks that Read returns an error after the port was removed.
func TestSerialPulledOut(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	wire := open(t, onlyEndpoint(t, source.Serial(slave.Name(), source.UsualLines[0])))
	for _, f := range []*os.File{slave, master} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := wire.Read(make([]byte, 16))
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("Read after the port was removed: got no error")
		}
	case <-time.After(2 * time.Minute):
		t.Error("Read still blocks 2 minutes after the port was removed")
	}
}

// TestSerialErrorMessages checks the error for each reason why a port cannot be opened.
func TestSerialErrorMessages(t *testing.T) {
	_, terminal := ptyPair(t)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		line       source.Line
		want       []string // parts of the error
		wantNot    string   // a text that must not be in the error; "" for none
	}{
		{"port is missing", "/dev/ttyUSB99", source.UsualLines[0], []string{"open /dev/ttyUSB99: no such port", "ls /dev/serial/by-id", "container"}, ""},
		{"path is an ordinary file", plain, source.UsualLines[0], []string{"open " + plain + ": it is not a serial port"}, ""},
		{"device is no terminal", "/dev/null", source.UsualLines[0], []string{"open /dev/null: it is not a serial port"}, ""},
		{"path is a folder", filepath.Dir(plain), source.UsualLines[0], []string{"open " + filepath.Dir(plain) + ": ", "directory"}, ""},
		{"port refuses the line setting", terminal, source.Line{Baud: 2400, DataBits: 9, Parity: 'N', StopBits: 1},
			[]string{"open " + terminal, "line setting"}, "not a serial port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := onlyEndpoint(t, source.Serial(tt.path, tt.line)).Dial(t.Context())
			if err == nil {
				t.Fatalf("got no error, want %q", tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got error %q, want %q in it", err, want)
				}
			}
			if tt.wantNot != "" && strings.Contains(err.Error(), tt.wantNot) {
				t.Errorf("got error %q, want no %q in it", err, tt.wantNot)
			}
		})
	}
}

// portVariable is an environment variable with the path of a port. It is set only in a copy of this test program, which opens the port as
// another user.
const portVariable = "HANBRIDGE_TEST_PORT"

// TestSerialPermissionDenied checks the error for a port that no user is allowed to open. Root can open all ports, so a copy of the test
// program opens the port as another user.
func TestSerialPermissionDenied(t *testing.T) {
	if path := os.Getenv(portVariable); path != "" {
		_, err := onlyEndpoint(t, source.Serial(path, source.UsualLines[0])).Dial(t.Context())
		_, _ = io.WriteString(os.Stdout, printedPrefix+errorText(err)+"\n")
		return
	}
	_, path := ptyPair(t)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	group := fmt.Sprint(stat.Gid) // the group of pseudo-terminals differs from system to system
	printed := strings.TrimSpace(tryAsNobody(t, path))
	for _, want := range []string{"open " + path + ": permission denied", "gid " + group + ")", `add group_add: ["` + group + `"]`, "usermod -aG", "log in again"} {
		if !strings.Contains(printed, want) {
			t.Errorf("got error %q, want %q in it", printed, want)
		}
	}
}

// printedPrefix is the beginning of the line in which the copy of the test program prints its error.
const printedPrefix = "error: "

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

// tryAsNobody runs TestSerialPermissionDenied in a copy of the test program as a user without permissions. It returns the error that the copy
// has printed.
func tryAsNobody(t *testing.T, path string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test") // every user can execute this copy
	for _, err := range []error{os.Chmod(dir, 0o755), os.WriteFile(program, self, 0o755), os.Chmod(program, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestSerialPermissionDenied$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{portVariable + "=" + path}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if printed, ok := strings.CutPrefix(line, printedPrefix); ok {
			return printed
		}
	}
	t.Fatalf("as another user: got no line that begins with %q:\n%s", printedPrefix, out)
	return ""
}

// TestSerialDropsEarlierBytes checks that bytes that arrived before the port was opened are dropped, because they possibly have another
// speed.
func TestSerialDropsEarlierBytes(t *testing.T) {
	master, path := ptyPair(t)
	// The first opening sets raw mode, which remains after Close. In raw mode the terminal does not wait for a line end.
	first := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0])))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := master.WriteString("old"); err != nil {
		t.Fatal(err)
	}
	wire := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[1])))
	if _, err := master.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	expectBytes(t, wire, []byte("new"))
}
