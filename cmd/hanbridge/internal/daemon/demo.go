package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/console"
	"github.com/hanbridge/hanbridge/bridge/output/health"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
)

// demoInterval is the time between two telegrams of the demo. It is short because a person watches the values.
const demoInterval = time.Second

// Demo runs the bridge with a simulated household until ctx ends. name is the name of the meter's family. seed selects the household.
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
	table.Width = screenWidth
	log := toErr
	if size != nil && cli.IsTerminal(p.Err) {
		log = table // the table shows the log lines, because otherwise the table would overwrite the log lines on the screen
	}
	setup, b, embedded, stopBroker, err := demoBridge(p, log)
	if err != nil {
		return err
	}
	defer stopBroker()
	if err := b.AddMeter(bridge.Meter{ID: "demo", Name: "Demo household", Simulated: true}, virtualport.SimulatedSource(family, seed)); err != nil {
		return err
	}
	b.AddOutput("console", table)
	fmt.Fprintf(toOut, "hanbridge demo: a simulated household, one telegram a second\n\nmeter    %s\n%s\n", family.Title, viewingHelp(setup.Config, embedded))
	return b.Run(ctx)
}

// screenWidth is the maximum width of the table, in columns.
const screenWidth = 79

// demoListen are the addresses at which the embedded broker of the demo tries to listen, in this order. Port 0 means any free port.
var demoListen = []string{"127.0.0.1:1883", "127.0.0.1:11883", "127.0.0.1:0"}

// demoBridge returns a bridge for the broker of the environment. If the environment names no broker, or names the embedded broker, the bridge
// has an embedded broker, and embedded is true. If err is nil, the caller must call done, which stops the embedded broker.
func demoBridge(p *cli.Program, log io.Writer) (setup *Setup, b *bridge.Bridge, embedded bool, done func(), err error) {
	cfg, err := config.Load("", p.Environ)
	if err != nil {
		return nil, nil, false, nil, err
	}
	addresses := health.SocketAddresses("", identity(cfg)) // not in the state folder, because a running bridge possibly uses it
	listen := []string{cfg.MQTT.Listen}
	if cfg.MQTT.URL == "" {
		cfg.MQTT.URL, listen = config.Embedded, demoListen
	}
	if cfg.MQTT.ClientID == "" {
		cfg.MQTT.ClientID = defaultClientID("hanbridge-demo", cfg)
	}
	cfg.Publish, cfg.MQTT.Publish, cfg.Quantities = throttle.Realtime, nil, nil // a person watches the values
	if cfg.Log.Level == "info" {
		cfg.Log.Level = "warn" // the table shows the values, so the log shows only problems
	}
	limitProcessors(cfg)
	setup = &Setup{Config: cfg, health: addresses, Logger: newLogger(cfg.Log, log, cli.IsTerminal(p.Err))}
	for _, setup.MQTT.Listen = range listen { // until the bridge has a broker
		if b, done, err = setup.Bridge(); err == nil {
			break
		}
	}
	return setup, b, cfg.MQTT.URL == config.Embedded, done, err
}

// viewingHelp returns a text that says where a person can see the values of the demo.
func viewingHelp(c config.Config, embedded bool) string {
	u, err := url.Parse(c.MQTT.URL)
	if err != nil {
		return ""
	}
	host, port := u.Hostname(), u.Port()
	command := fmt.Sprintf("mosquitto_sub -h %s -p %s -t '%s/#' -v", host, port, c.MQTT.BaseTopic)
	if c.MQTT.Username != "" {
		command += " -u " + c.MQTT.Username + " -P …"
	}
	broker := c.MQTT.URL
	if embedded {
		broker += ", inside the demo"
	}
	if net.ParseIP(host).IsLoopback() {
		broker += ", for programs on this machine"
	}
	lines := []string{"broker   " + broker}
	if embedded && slices.Contains(demoListen[1:], c.MQTT.Listen) {
		lines = append(lines, "         (port 1883 is in use, most likely by another broker)")
	}
	lines = append(lines, "look     "+command)
	if embedded {
		lines = append(lines, "hub      to see the household in your hub, type the address of the hub's broker",
			"         before this command: HANBRIDGE_MQTT_URL=mqtt://BROKER")
	} else {
		lines = append(lines, "hub      if Home Assistant uses this broker, it shows the device",
			"         Demo household (simulated)")
	}
	return strings.Join(append(lines, "stop     Ctrl-C", ""), "\n")
}
