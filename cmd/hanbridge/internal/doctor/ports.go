package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// findMeter listens on the configured port, or on all free ports if it is auto, until one gives a telegram. Otherwise it returns the most
// useful verdict.
func (d *examination) findMeter(ctx context.Context) (worst *verdict) {
	ports, v := d.usablePorts()
	if v != nil {
		return v
	}
	name := "" // name of the port that worst is about
	for _, port := range ports {
		d.report.Port.Name = port.String()
		note := ""
		if port.Kind == config.SerialPort {
			note = "   readable, not in use"
		}
		d.printLine("port", port.String()+note)
		m := *d.meter()
		m.Port = port
		v := d.findLine(ctx, m)
		if v == nil {
			d.meter().Port = port
			return nil
		}
		if ctx.Err() != nil {
			return v
		}
		if worst == nil || worst.Code == codeSilent { // a port with bytes is more likely the meter's than a silent one
			worst, name = v, port.String()
		}
	}
	d.report.Port.Name = name
	return worst
}

// usablePorts returns the ports to listen on, or a verdict if there is none.
func (d *examination) usablePorts() ([]config.Port, *verdict) {
	configured := d.meter().Port
	if configured.Kind == config.AutoPort {
		return d.freePorts()
	}
	if configured.Kind == config.SerialPort {
		if err := d.usable(configured.Address); err != nil {
			d.report.Port.Name = configured.String()
			d.printLine("port", configured.String())
			return nil, portVerdict(err)
		}
	}
	return []config.Port{configured}, nil
}

// freePorts returns the serial ports of this machine that can be opened and that no configured meter uses, or a verdict if there is none.
func (d *examination) freePorts() (free []config.Port, v *verdict) {
	found := d.ports()
	if len(found) == 0 {
		d.printLine("port", "none found")
		return nil, &verdict{codeNoPort, "no serial port found: plug in the cable, then hanbridge doctor again (ls /dev/serial/by-id " +
			`shows the ports). Container: give it the port, devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]. A reader in the network: hanbridge ` +
			"doctor tcp://ADDRESS:PORT"}
	}
	for _, port := range found {
		err := d.usable(port.Path)
		if err == nil && !slices.ContainsFunc(d.cfg.Meters, func(m config.Meter) bool { return usesPort(m, port) }) {
			free = append(free, config.Port{Kind: config.SerialPort, Address: port.Path})
		}
		if err == nil {
			continue
		}
		reason := strings.TrimPrefix(err.Error(), "open "+port.Path+": ")
		d.report.Port.Skipped = append(d.report.Port.Skipped, skippedPort{port.Path, reason})
		d.printLine("port", port.Path+"   skipped: "+reason)
		if v == nil {
			v = portVerdict(err)
		}
	}
	if len(free) > 0 {
		v = nil
	}
	return free, v
}

// usesPort reports whether port is the configured port of a meter.
func usesPort(m config.Meter, port source.Port) bool {
	return m.Port.Kind == config.SerialPort && (m.Port.Address == port.Path || m.Port.Address == port.Device)
}

// findLine tries the line settings of a port until one gives a telegram, the configured one first. It returns nil if one did.
func (d *examination) findLine(ctx context.Context, m config.Meter) *verdict {
	options, err := daemon.OptionsOf(m)
	if err != nil {
		return &verdict{codePort, err.Error()}
	}
	options.AcceptUnverified = true // otherwise an unverified telegram would be an intact TelegramError, which proves the endpoint
	decoder := meter.NewDecoder(nil, options)
	l := &listener{decoder: decoder, dwell: d.dwell, progress: d.progress, speeds: map[string]bool{}}
	source := probe.Source{Endpoints: func() ([]probe.Endpoint, error) { return d.endpoints(m) }, Recorded: m.Port.Kind == config.ReplayPort}
	found := probe.Probe(ctx, source, probe.Options{
		Dwell: d.dwell, SinglePass: true, ProvedTimeout: l.readOn, Decoder: decoder,
	}, l)
	var parts []string
	for _, f := range found.Tried {
		d.report.Line.Tried = append(d.report.Line.Tried, triedLine{f.Port, f.Line, f.Bytes, f.Verdict.String()})
		parts = append(parts, fmt.Sprintf("%s: %d bytes, %s", cmp.Or(f.Line, "read"), f.Bytes, f.Verdict))
	}
	if found.Proved != nil {
		d.found = &l.observation
		return nil
	}
	closed, isClosed := errors.AsType[probe.ClosedError](found.Err)
	over := source.Recorded && errors.Is(found.Err, io.EOF) || isClosed && closed != probe.ErrClosedEmpty
	if found.Err != nil && !over {
		return portVerdict(found.Err)
	}
	if ctx.Err() == nil {
		d.printLine("line", "no telegram ("+strings.Join(parts, "; ")+")")
	}
	return d.lineVerdict(m.Port, found)
}

// endpoints returns the endpoints of a meter's port: first with the configured line setting, then with the usual ones.
func (d *examination) endpoints(m config.Meter) ([]probe.Endpoint, error) {
	all, err := d.endpointsOf(m)
	if m.Port.Kind != config.SerialPort || m.Serial.Auto || err != nil {
		return all, err
	}
	m.Serial = config.Serial{Auto: true}
	usual, err := d.endpointsOf(m)
	return append(all, slices.DeleteFunc(usual, func(c probe.Endpoint) bool { return c.Line == all[0].Line })...), err
}
