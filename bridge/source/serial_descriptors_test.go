//go:build linux

package source_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// openUntil opens files until all file descriptors up to a number are in use.
func openUntil(t *testing.T, number uintptr) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < uint64(number)+20 {
		t.Fatalf("this user can open %d files, which are too few for this test (%v): raise the hard limit (ulimit -Hn 4096)", limit.Cur, err)
	}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		if f.Fd() >= number {
			return
		}
	}
}

// TestSerialDescriptorsAbove1023 checks that a port can be read and closed in a process with many open files. The select of the serial library
// accepts only file descriptors below 1024. The port and a pipe of the library can both be above this limit, or only one of the two.
func TestSerialDescriptorsAbove1023(t *testing.T) {
	for _, number := range []uintptr{1019, 1020, 1021, 1022, 1023, 1100, 4000} {
		t.Run(strconv.Itoa(int(number)), func(t *testing.T) {
			master, path := ptyPair(t)
			openUntil(t, number)
			wire := open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[0])))
			if _, err := master.Write(everyByte); err != nil {
				t.Fatal(err)
			}
			expectBytes(t, wire, everyByte)
			checkCloseEndsRead(t, wire)

			wire = open(t, onlyEndpoint(t, source.Serial(path, source.UsualLines[1])))
			if err := master.Close(); err != nil {
				t.Fatal(err)
			}
			if n, err := wire.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "was the cable pulled?") {
				t.Errorf("Read after the other end was closed: got %d bytes, error %v, want an error that asks for the cable", n, err)
			}
		})
	}
}
