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

// findMeter listens on the configured port, or on all free ports if the port is auto. It returns nil when a telegram arrives at a port. If no
// telegram arrives at any port, it returns the verdict that helps most.
func (d *examination) findMeter(ctx context.Context) (best *verdict) {
	ports, v := d.usablePorts()
	if v != nil {
		return v
	}
	bestPort := "" // name of the port that best is about
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
		if best == nil || best.Code == codeSilent { // a port with bytes is more likely the meter's port than a silent port
			best, bestPort = v, port.String()
		}
	}
	d.report.Port.Name = bestPort
	return best
}

// usablePorts returns the ports to listen on, or a verdict if there is none.
func (d *examination) usablePorts() ([]config.Port, *verdict) {
	configured := d.meter().Port
	if configured.Kind == config.AutoPort {
		return d.freePorts()
	}
	if configured.Kind == config.SerialPort {
		if err := d.portError(configured.Address); err != nil {
			d.report.Port.Name = configured.String()
			d.printLine("port", configured.String())
			return nil, portVerdict(err)
		}
	}
	return []config.Port{configured}, nil
}

// freePorts returns the serial ports of this machine that can be opened and that no configured meter uses, or a verdict if there is none.
func (d *examination) freePorts() (free []config.Port, v *verdict) {
	all := d.ports()
	if len(all) == 0 {
		d.printLine("port", "none found")
		return nil, &verdict{codeNoPort, "no serial port found: plug in the cable, then type hanbridge doctor again (ls /dev/serial/by-id " +
			`shows the ports). Container: give it the port, devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]. A reader in the network: hanbridge ` +
			"doctor tcp://ADDRESS:PORT"}
	}
	for _, port := range all {
		if err := d.portError(port.Path); err != nil {
			reason := strings.TrimPrefix(err.Error(), "open "+port.Path+": ")
			d.report.Port.Skipped = append(d.report.Port.Skipped, skippedPort{port.Path, reason})
			d.printLine("port", port.Path+"   skipped: "+reason)
			if v == nil {
				v = portVerdict(err)
			}
			continue
		}
		if !slices.ContainsFunc(d.cfg.Meters, func(m config.Meter) bool { return usesPort(m, port) }) {
			free = append(free, config.Port{Kind: config.SerialPort, Address: port.Path})
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

// findLine tries the line settings of a port, the configured setting first. It returns nil when a telegram arrives.
func (d *examination) findLine(ctx context.Context, m config.Meter) *verdict {
	options, err := daemon.OptionsOf(m)
	if err != nil {
		return &verdict{codePort, err.Error()}
	}
	// An unverified telegram must not end the search. With AcceptUnverified it gives an unverified Reading, and the probe searches on. Without
	// AcceptUnverified it would give an intact TelegramError, which the probe takes as proof that the meter is found.
	options.AcceptUnverified = true
	decoder := meter.NewDecoder(nil, options)
	l := &listener{decoder: decoder, dwell: d.dwell, progress: d.progress, speeds: map[string]bool{}}
	src := probe.Source{Endpoints: func() ([]probe.Endpoint, error) { return d.endpoints(m) }, Recorded: m.Port.Kind == config.ReplayPort}
	result := probe.Probe(ctx, src, probe.Options{
		Dwell: d.dwell, SinglePass: true, ProvedTimeout: l.provedTimeout, Decoder: decoder,
	}, l)
	var tried []string
	for _, f := range result.Tried {
		d.report.Line.Tried = append(d.report.Line.Tried, triedLine{f.Port, f.Line, f.Bytes, f.Verdict.String()})
		tried = append(tried, fmt.Sprintf("%s: %d bytes, %s", cmp.Or(f.Line, "read"), f.Bytes, f.Verdict))
	}
	if result.Proved != nil {
		d.found = &l.observation
		return nil
	}
	closedErr, isClosedErr := errors.AsType[probe.ClosedError](result.Err)
	// If a recording has ended, or if bytes arrived before the connection was closed, the verdict on these bytes says more than the error.
	sourceEnded := src.Recorded && errors.Is(result.Err, io.EOF) || isClosedErr && closedErr != probe.ErrClosedEmpty
	if result.Err != nil && !sourceEnded {
		return portVerdict(result.Err)
	}
	if ctx.Err() == nil {
		d.printLine("line", "no telegram ("+strings.Join(tried, "; ")+")")
	}
	return d.lineVerdict(m.Port, result)
}

// endpoints returns the endpoints of a meter's port: first with the configured line setting, then with the usual line settings.
func (d *examination) endpoints(m config.Meter) ([]probe.Endpoint, error) {
	all, err := d.endpointsOf(m)
	if m.Port.Kind != config.SerialPort || m.Serial.Auto || err != nil {
		return all, err
	}
	m.Serial = config.Serial{Auto: true}
	usual, err := d.endpointsOf(m)
	return append(all, slices.DeleteFunc(usual, func(e probe.Endpoint) bool { return e.Line == all[0].Line })...), err
}
