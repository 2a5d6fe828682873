package doctor

import (
	"cmp"
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/discovery"
)

// Check looks at the configuration of a file and at the broker, and prints what it finds.
func Check(ctx context.Context, p *cli.Program, file string) error {
	file = config.Found(file)
	cfg, err := cli.Loading(ctx, func() (config.Config, error) { return config.Load(file, p.Environ) })
	if err != nil {
		return err
	}
	if err := cfg.NeedBroker(); err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "configuration  %s + %d variables: good\n", cmp.Or(file, "no file"), config.CountVariables(p.Environ))
	for _, w := range cfg.Warnings(file) {
		warn(p, w.Source, w.Message)
	}
	for _, m := range cfg.Meters {
		checkMeter(p, m)
	}
	checkStateDir(p, cfg.KeepsIn())
	w := daemon.Setup{Config: cfg, Logger: zerolog.Nop()}
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTime)
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
		checkHub(ctx, p, to)
	}
	return checkOthers(ctx, p, &w)
}

// checkOthers looks whether another bridge publishes a meter of the configuration: it is wrong where this one publishes no counters then.
func checkOthers(ctx context.Context, p *cli.Program, w *daemon.Setup) (err error) {
	var own *bridge.Instance
	if dir := w.Remembered(); dir != "" {
		if own, err = bridge.StoredInstance(dir); err != nil {
			warn(p, "state_dir", err.Error()+": whether another bridge publishes a meter is not looked for (run check as the user that runs hanbridge)")
			return nil
		}
	}
	others, err := mqtt.Others(ctx, w.MQTTOutput(), own, w.MeterIDs()...)
	if err != nil {
		warn(p, "meters.id", err.Error()+": whether another bridge publishes a meter is not known")
		return nil
	}
	for _, o := range others {
		warn(p, "meters.id "+o.Meter, o.Message)
		if o.Second {
			err = cli.ErrPrinted
		}
	}
	return err
}

// checkHub looks whether the bridge may hear that Home Assistant has started.
func checkHub(ctx context.Context, p *cli.Program, to mqtt.Config) {
	if _, err := mqtt.Hub(ctx, to); err != nil {
		warn(p, "homeassistant.status_topic", err.Error()+": when Home Assistant starts, it sees no more than what is retained")
	}
}

// usable says what a bridge can do at a broker.
func usable(found mqtt.Checked) string {
	if !found.Retains {
		return "connected, may publish, keeps nothing"
	}
	return "connected, may publish, may retain"
}

// checkMeter says what is set of a meter, of its keys no more than how many there are.
func checkMeter(p *cli.Program, m config.Meter) {
	keys, _ := m.Keys() // the configuration has been checked
	fmt.Fprintf(p.Out, "meter          %s on %s, %s\n", m.ID, m.Port, cli.Count(len(keys), "key"))
	for _, w := range m.Warnings() {
		warn(p, w.Source, w.Message)
	}
	checkPort(p, m.Port)
}
