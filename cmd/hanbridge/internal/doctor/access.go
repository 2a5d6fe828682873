package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// checkPort looks whether a device is there and may be read. It does not open it: a bridge may be reading.
func checkPort(p *cli.Program, port config.Port) {
	if port.Kind != config.SerialPort {
		return
	}
	info, err := os.Stat(port.Address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		warn(p, port.Address, "not there (is the cable plugged in? container: is the device passed on?)")
	case err != nil:
		warn(p, port.Address, err.Error())
	case info.Mode()&fs.ModeCharDevice == 0:
		warn(p, port.Address, "is no serial port: "+config.PortHelp)
	case !config.Allowed(port.Address, config.ToRead):
		warn(p, port.Address, fmt.Sprintf("user id %d may not read it: hanbridge doctor says what to do", os.Getuid()))
	}
}

// checkStateDir looks whether what must survive a restart can be written. It makes nothing.
func checkStateDir(p *cli.Program, dir string) {
	if dir == "" {
		fmt.Fprintln(p.Out, "state_dir      off: nothing is remembered over a restart")
		return
	}
	there := dir // or the nearest folder above: the bridge makes the rest
	for {
		_, err := os.Stat(there)
		parent := filepath.Dir(there)
		if err == nil || parent == there {
			break
		}
		there = parent
	}
	if !config.Allowed(there, config.ToWrite) {
		warn(p, "state_dir", fmt.Sprintf("user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)",
			os.Getuid(), there, os.Getuid(), dir))
		return
	}
	fmt.Fprintf(p.Out, "state_dir      %s: may be written\n", dir)
}

func warn(p *cli.Program, about, message string) {
	fmt.Fprintf(safetext.Lines{W: p.Out}, "warning        %s: %s\n", about, message)
}
