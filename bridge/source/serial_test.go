//go:build linux

package source_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// ptyPair opens a pseudo-terminal: bytes written to master are read at path.
func ptyPair(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = master.Close() // some tests close it
		_ = slave.Close()
	})
	return master, slave.Name()
}

// TestSerialGivesEveryByteUnchanged tests that the terminal does not interpret, change or echo any byte.
func TestSerialGivesEveryByteUnchanged(t *testing.T) {
	for _, l := range append([]source.Line{{Baud: 9600, DataBits: 7, Parity: 'O', StopBits: 2}}, source.UsualLines...) {
		master, path := ptyPair(t)
		wire := open(t, onlyEndpoint(t, source.Serial(path, l)))
		if _, err := master.Write(everyByte); err != nil {
			t.Fatal(err)
		}
		expectBytes(t, wire, everyByte)
		if n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCINQ); n != 0 || err != nil {
			t.Errorf("%v: got %d bytes back (%v), want none: nothing may ever be written to a meter", l, n, err)
		}
	}
}

func TestSerialEndpoints(t *testing.T) {
	s := source.Serial("/dev/ttyUSB0", source.UsualLines...)
	var got []string
	for _, c := range endpoints(t, s) {
		got = append(got, c.Port+" "+c.Line)
	}
	if text := strings.Join(got, ", "); text != strings.Join([]string{
		"/dev/ttyUSB0 115200 8N1", "/dev/ttyUSB0 2400 8E1", "/dev/ttyUSB0 2400 8N1", "/dev/ttyUSB0 9600 7E1",
		"/dev/ttyUSB0 115200 7E1", "/dev/ttyUSB0 115200 8E1", "/dev/ttyUSB0 9600 8N1", "/dev/ttyUSB0 38400 8N1",
	}, ", ") || s.Recorded || s.EndpointsChange {
		t.Errorf("got %s, recorded %v, changing %v", text, s.Recorded, s.EndpointsChange)
	}
}

func TestSerialCloseEndsARead(t *testing.T) {
	_, path := ptyPair(t)
	checkCloseEndsRead(t, open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0]))))
}

// TestSerialPulledOut removes the port: Read must return an error, not zero bytes again and again.
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
			t.Error("got neither bytes nor an error")
		}
	case <-time.After(2 * time.Minute):
		t.Error("Read still waits after the port was removed")
	}
}

func TestSerialErrorMessages(t *testing.T) {
	_, terminal := ptyPair(t)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		line       source.Line
		want       []string
		not        string // what the error must not contain
	}{
		{"missing", "/dev/ttyUSB99", source.UsualLines[0], []string{"open /dev/ttyUSB99: no such port", "ls /dev/serial/by-id", "container"}, ""},
		{"an ordinary file", plain, source.UsualLines[0], []string{"open " + plain + ": it is not a serial port"}, ""},
		{"a device that is no terminal", "/dev/null", source.UsualLines[0], []string{"open /dev/null: it is not a serial port"}, ""},
		{"a folder", filepath.Dir(plain), source.UsualLines[0], []string{"open " + filepath.Dir(plain) + ": ", "directory"}, ""},
		{"a setting that is refused", terminal, source.Line{Baud: 2400, DataBits: 9, Parity: 'N', StopBits: 1},
			[]string{"open " + terminal, "line setting"}, "not a serial port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := onlyEndpoint(t, source.Serial(tt.path, tt.line)).Dial(t.Context())
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("got %q, want no %q in it", err, tt.not)
			}
		})
	}
}

// portVariable is the environment variable with the port that the test program opens when it runs as another user.
const portVariable = "HANBRIDGE_TEST_PORT"

// TestSerialPermissionDenied opens a port that no user is allowed to open. Root can open all ports, so a copy of the test program opens it
// as another user.
func TestSerialPermissionDenied(t *testing.T) {
	if path := os.Getenv(portVariable); path != "" {
		_, err := onlyEndpoint(t, source.Serial(path, source.UsualLines[0])).Dial(t.Context())
		_, _ = io.WriteString(os.Stdout, "said: "+errorText(err)+"\n")
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
	said := strings.TrimSpace(tryAsNobody(t, path))
	for _, want := range []string{"open " + path + ": permission denied", "gid " + group + ")", `add group_add: ["` + group + `"]`, "usermod -aG", "log in again"} {
		if !strings.Contains(said, want) {
			t.Errorf("got %q, want %q in it", said, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return "nothing is wrong"
	}
	return err.Error()
}

// tryAsNobody runs TestSerialPermissionDenied as a user without permissions, from a copy of the test program, and returns the error that it
// printed.
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
	program := filepath.Join(dir, "test")
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
		if said, ok := strings.CutPrefix(line, "said: "); ok {
			return said
		}
	}
	t.Fatalf("as another user: got no line that begins with \"said: \":\n%s", out)
	return ""
}

// TestSerialDropsEarlierBytes checks that bytes that arrived before the port was opened are dropped, because they possibly have another
// speed.
func TestSerialDropsEarlierBytes(t *testing.T) {
	master, path := ptyPair(t)
	raw := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0]))) // sets raw mode, so that the terminal delivers bytes at once
	if err := raw.Close(); err != nil {
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
