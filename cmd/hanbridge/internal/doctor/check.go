package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/discovery"
)

// Check looks at the configuration of a file and at the broker, and prints what it finds.
func Check(ctx context.Context, p *cli.Program, file string) error {
	file = config.FindFile(file)
	cfg, err := cli.Interruptible(ctx, func() (config.Config, error) { return config.Load(file, p.Environ) })
	if err != nil {
		return err
	}
	if err := cfg.RequireBroker(); err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "configuration  %s + %d variables: good\n", cmp.Or(file, "no file"), config.CountVariables(p.Environ))
	for _, w := range cfg.Warnings(file) {
		warn(p, w.Source, w.Message)
	}
	for _, m := range cfg.Meters {
		keys, _ := m.Keys() // the configuration has been checked
		fmt.Fprintf(p.Out, "meter          %s on %s, %s\n", m.ID, m.Port, cli.Count(len(keys), "key"))
		for _, w := range m.Warnings() {
			warn(p, w.Source, w.Message)
		}
		checkPort(p, m.Port)
	}
	checkStateDir(p, cfg.StateDirToWrite())
	return checkBroker(ctx, p, cfg)
}

func checkBroker(ctx context.Context, p *cli.Program, cfg config.Config) error {
	w := daemon.Setup{Config: cfg, Logger: zerolog.Nop()}
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	to := w.MQTTOutput()
	found, err := mqtt.Check(ctx, to)
	if err != nil && cfg.MQTT.URL == config.Embedded && !mqtt.Permanent(err) {
		err = fmt.Errorf("%w: it is the broker inside, which starts with hanbridge run", err)
	}
	if err != nil {
		return cli.DataError(err)
	}
	fmt.Fprintf(p.Out, "broker         %s: %s\n", to.URL, usable(found))
	for _, w := range found.Warnings {
		warn(p, "broker", w)
	}
	if to.Style != discovery.Off {
		if _, err := mqtt.HubOnline(ctx, to); err != nil {
			warn(p, "homeassistant.status_topic", err.Error()+": when Home Assistant starts, it sees no more than what is retained")
		}
	}
	return checkOthers(ctx, p, &w)
}

// checkOthers looks whether another bridge publishes a meter of the configuration: it is wrong where this one publishes no counters then.
func checkOthers(ctx context.Context, p *cli.Program, w *daemon.Setup) (err error) {
	var own *bridge.Instance
	if dir := w.StateDirToRead(); dir != "" {
		if own, err = bridge.StoredInstance(dir); err != nil {
			warn(p, "state_dir", err.Error()+": whether another bridge publishes a meter is not looked for (run check as the user that runs hanbridge)")
			return nil
		}
	}
	others, err := mqtt.FindOtherBridges(ctx, w.MQTTOutput(), own, w.MeterIDs()...)
	if err != nil {
		warn(p, "meters.id", err.Error()+": whether another bridge publishes a meter is not known")
		return nil
	}
	for _, o := range others {
		warn(p, "meters.id "+o.Meter, o.Message)
		if o.CountersWithheld {
			err = cli.ErrPrinted
		}
	}
	return err
}

// usable says what a bridge can do at a broker.
func usable(found mqtt.CheckResult) string {
	if !found.RetainAvailable {
		return "connected, may publish, keeps nothing"
	}
	return "connected, may publish, may retain"
}

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
	case !config.HasAccess(port.Address, config.ReadAccess):
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
	for filepath.Dir(there) != there {
		if _, err := os.Stat(there); err == nil {
			break
		}
		there = filepath.Dir(there)
	}
	if !config.HasAccess(there, config.WriteAccess) {
		warn(p, "state_dir", fmt.Sprintf("user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)",
			os.Getuid(), there, os.Getuid(), dir))
		return
	}
	fmt.Fprintf(p.Out, "state_dir      %s: may be written\n", dir)
}

func warn(p *cli.Program, about, message string) {
	fmt.Fprintf(safetext.LineWriter{W: p.Out}, "warning        %s: %s\n", about, message)
}
