package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/console"
	"github.com/hanbridge/hanbridge/bridge/output/health"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/localbroker"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
)

// demoInterval is how often the demo's meter speaks: oftener than most, since somebody is looking.
const demoInterval = time.Second

// Demo runs the bridge on a simulated household of the named family until ctx ends.
func Demo(ctx context.Context, p *cli.Program, name string, seed uint64) error {
	family, err := virtualport.Family(name)
	if err != nil {
		return err
	}
	family.Interval = demoInterval
	ctx, toOut, toErr, done := cli.UntilPipeBreaks(ctx, p.Out, p.Err)
	defer done()
	size := cli.TerminalSize(p.Out)
	table := console.New(toOut, size)
	log := toErr
	if size != nil && cli.IsTerminal(p.Err) {
		log = table // what goes wrong must not be written over
	}
	w, b, done, err := demoBridge(p, log)
	if err != nil {
		return err
	}
	defer done()
	b.AddMeter(bridge.Meter{ID: "demo", Name: "Demo household", Simulated: true}, virtualport.SimulatedSource(family, seed))
	b.AddOutput("console", table)
	fmt.Fprintf(toOut, "hanbridge demo: a simulated household, one telegram a second\n\nmeter    %s\n%s\n", family.Title, howToLook(w.Config))
	return b.Run(ctx)
}

// demoBridge returns a bridge with the broker that the environment names, else one with a broker inside.
func demoBridge(p *cli.Program, log io.Writer) (*Setup, *bridge.Bridge, func(), error) {
	cfg, err := config.Load("", p.Environ)
	if err != nil {
		return nil, nil, nil, err
	}
	w := &Setup{health: health.Places("", identity(cfg))} // the state folder may be that of a bridge
	if cfg.MQTT.ClientID == "" {
		cfg.MQTT.ClientID = ownClientID("hanbridge-demo", cfg)
	}
	w.Config = cfg
	stopInside := func() {}
	if cfg.MQTT.URL == "" || cfg.MQTT.URL == config.Embedded {
		if cfg.MQTT.URL == "" {
			w.MQTT.Listen = "127.0.0.1:0"
		}
		inside, err := localbroker.Start(w.MQTT)
		if err != nil {
			return nil, nil, nil, err
		}
		w.MQTT.URL, stopInside = inside.URL(), inside.Stop
	}
	if w.Log.Level == "info" {
		w.Log.Level = "warn" // the screen shows the values; the log only what goes wrong
	}
	w.Logger = newLogger(w.Log, log, cli.IsTerminal(p.Err))
	b, done, err := w.Bridge()
	if err != nil {
		stopInside()
		return nil, nil, nil, err
	}
	return w, b, func() { done(); stopInside() }, nil
}

// howToLook says where the values can be seen.
func howToLook(c config.Config) string {
	u, err := url.Parse(c.MQTT.URL)
	if err != nil {
		return ""
	}
	host, port := u.Hostname(), u.Port()
	listen := fmt.Sprintf("mosquitto_sub -h %s -p %s -t '%s/#' -v", host, port, c.MQTT.BaseTopic)
	if c.MQTT.Username != "" {
		listen += " -u " + c.MQTT.Username + " -P …"
	}
	inside := ""
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		inside = " (on this machine)"
	}
	return strings.Join([]string{
		"broker   " + c.MQTT.URL + inside,
		"look     " + listen,
		"hub      Home Assistant: add the integration MQTT with this broker",
		"stop     Ctrl-C", "",
	}, "\n")
}
