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

// Check implements the command check. It validates the configuration, connects to the broker, and prints the result. It does not open the
// meters' ports.
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
		printWarning(p, w.Source, w.Message)
	}
	for _, m := range cfg.Meters {
		keys, _ := m.Keys() // Load has validated the keys
		fmt.Fprintf(p.Out, "meter          %s on %s, %s\n", m.ID, m.Port, cli.Count(len(keys), "key"))
		for _, w := range m.Warnings() {
			printWarning(p, w.Source, w.Message)
		}
		warnAboutPort(p, m.Port)
	}
	printStateDir(p, cfg.StateDirToWrite())
	return printBroker(ctx, p, cfg)
}

// printBroker connects to the configured broker, and prints what the bridge is allowed to do there.
func printBroker(ctx context.Context, p *cli.Program, cfg config.Config) error {
	setup := daemon.Setup{Config: cfg, Logger: zerolog.Nop()}
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	output := setup.MQTTOutput()
	result, err := mqtt.Check(ctx, output)
	if err != nil && cfg.MQTT.URL == config.Embedded && !mqtt.Permanent(err) {
		err = fmt.Errorf("%w: this is the embedded broker, which hanbridge run starts", err)
	}
	if err != nil {
		return cli.DataError(err)
	}
	fmt.Fprintf(p.Out, "broker         %s: %s\n", output.URL, permissions(result))
	for _, w := range result.Warnings {
		printWarning(p, "broker", w)
	}
	if output.Style != discovery.Off {
		if _, err := mqtt.HubOnline(ctx, output); err != nil {
			printWarning(p, "homeassistant.status_topic", err.Error()+": the bridge does not notice when Home Assistant starts, so Home Assistant then has only retained messages")
		}
	}
	return checkOtherBridges(ctx, p, &setup)
}

// checkOtherBridges prints a warning for each configured meter that another bridge publishes. It returns cli.ErrPrinted if this bridge does not
// publish the counters of a meter because of the other bridge.
func checkOtherBridges(ctx context.Context, p *cli.Program, setup *daemon.Setup) (err error) {
	var instance *bridge.Instance // the identity of this bridge in its state file; nil without a state file
	if dir := setup.StateDirToRead(); dir != "" {
		if instance, err = bridge.StoredInstance(dir); err != nil {
			printWarning(p, "state_dir", err.Error()+": check does not look for other bridges that publish a meter (run check as the user that runs hanbridge)")
			return nil
		}
	}
	others, err := mqtt.FindOtherBridges(ctx, setup.MQTTOutput(), instance, setup.MeterIDs()...)
	if err != nil {
		printWarning(p, "meters.id", err.Error()+": it is not known whether another bridge publishes a meter")
		return nil
	}
	for _, o := range others {
		printWarning(p, "meters.id "+o.Meter, o.Message)
		if o.CountersWithheld {
			err = cli.ErrPrinted
		}
	}
	return err
}

// permissions returns the words that say what the broker allows the bridge. result is the result of mqtt.Check without an error.
func permissions(result mqtt.CheckResult) string {
	if !result.RetainAvailable {
		return "connected, may publish, but the broker retains no message"
	}
	return "connected, may publish, may retain"
}

// warnAboutPort prints a warning if the device of a serial port is missing, is no device, or is not readable. It does not open the device,
// because a running bridge possibly reads the device.
func warnAboutPort(p *cli.Program, port config.Port) {
	if port.Kind != config.SerialPort {
		return
	}
	info, err := os.Stat(port.Address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		printWarning(p, port.Address, "not there (is the cable plugged in? In a container: is the device mapped into it?)")
	case err != nil:
		printWarning(p, port.Address, err.Error())
	case info.Mode()&fs.ModeCharDevice == 0:
		printWarning(p, port.Address, "is no serial port: "+config.PortHelp)
	case !config.HasAccess(port.Address, config.ReadAccess):
		printWarning(p, port.Address, fmt.Sprintf("user id %d may not read it: hanbridge doctor says what to do", os.Getuid()))
	}
}

// printStateDir prints whether the bridge can write to its state folder dir. dir is "" if the bridge stores no state. printStateDir creates no
// file and no folder.
func printStateDir(p *cli.Program, dir string) {
	if dir == "" {
		fmt.Fprintln(p.Out, "state_dir      off: nothing is remembered over a restart")
		return
	}
	existing := dir // if dir is missing, the nearest folder above dir that exists; the bridge creates the folders below it
	for filepath.Dir(existing) != existing {
		if _, err := os.Stat(existing); err == nil {
			break
		}
		existing = filepath.Dir(existing)
	}
	if !config.HasAccess(existing, config.WriteAccess) {
		printWarning(p, "state_dir", fmt.Sprintf("user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)",
			os.Getuid(), existing, os.Getuid(), dir))
		return
	}
	fmt.Fprintf(p.Out, "state_dir      %s: writable\n", dir)
}

// printWarning prints a warning about a setting, a file or a device.
func printWarning(p *cli.Program, subject, message string) {
	fmt.Fprintf(safetext.LineWriter{W: p.Out}, "warning        %s: %s\n", subject, message)
}
