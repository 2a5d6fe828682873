//go:build unix

package doctor

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// TestWarnAboutPort tests that check warns about a serial port that is missing or is no device, and about no other port.
func TestWarnAboutPort(t *testing.T) {
	regularFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(regularFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		port config.Port
		want string
	}{
		{config.Port{Kind: config.SerialPort, Address: "/dev/null"}, ""},
		{config.Port{Kind: config.TCPPort, Address: "nowhere:1"}, ""},
		{config.Port{Kind: config.AutoPort}, ""},
		{config.Port{Kind: config.SerialPort, Address: "/nowhere/port"}, "warning        /nowhere/port: not there (is the cable plugged in? In a container: is the device mapped into it?)\n"},
		{config.Port{Kind: config.SerialPort, Address: regularFile}, "warning        " + regularFile + ": is no serial port: " + config.PortHelp + "\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		warnAboutPort(&cli.Program{Out: &out}, tt.port)
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.port, diff)
		}
	}
}

// TestPrintStateDir tests that a state folder is writable if it exists or can be created, and that check does not create it.
func TestPrintStateDir(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "var", "lib")
	tests := []struct{ name, dir, want string }{
		{"no folder", "", "state_dir      off: nothing is remembered over a restart\n"},
		{"an existing folder", dir, "state_dir      " + dir + ": writable\n"},
		{"a missing folder in a missing folder", missing, "state_dir      " + missing + ": writable\n"},
		{"a missing folder in the current folder", "state", "state_dir      state: writable\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		printStateDir(&cli.Program{Out: &out}, tt.dir)
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "var")); err == nil {
		t.Error("printStateDir created a folder, want none")
	}
}
