package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// findMeter listens on the port that was named, else on all that are free, until one gives a telegram.
func (d *examination) findMeter(ctx context.Context) *verdict {
	ports, v := d.usablePorts()
	if v != nil {
		return v
	}
	var worst *verdict
	name := "" // of its port
	for _, port := range ports {
		m := *d.meter()
		m.Port = port
		d.report.Port.Name = port.String()
		d.say("port", port.String()+d.openly(port))
		v := d.findLine(ctx, m)
		if v == nil {
			d.meter().Port = port
			return nil
		}
		if ctx.Err() != nil {
			return v
		}
		if worst == nil || worst.Code == codeSilent { // a port that says something is more likely the meter's than a silent one
			worst, name = v, port.String()
		}
	}
	d.report.Port.Name = name
	return worst
}

// openly is what is known of a port before anything is read from it.
func (d *examination) openly(port config.Port) string {
	if port.Kind == config.SerialPort {
		return "   readable, not in use"
	}
	return ""
}

// usablePorts returns the ports to listen on, and a verdict where there is none.
func (d *examination) usablePorts() ([]config.Port, *verdict) {
	configured := d.meter().Port
	switch configured.Kind {
	case config.AutoPort:
		return d.freePorts()
	case config.SerialPort:
		if err := d.usable(configured.Address); err != nil {
			d.report.Port.Name = configured.String()
			d.say("port", configured.String())
			return nil, portVerdict(err)
		}
	case config.TCPPort, config.ReplayPort:
	}
	return []config.Port{configured}, nil
}

// freePorts looks through the ports of this machine.
func (d *examination) freePorts() (free []config.Port, v *verdict) {
	found := d.ports()
	if len(found) == 0 {
		d.say("port", "none found")
		return nil, &verdict{codeNoPort, "no serial port found: plug in the cable, then hanbridge doctor again (ls /dev/serial/by-id " +
			`shows the ports). Container: give it the port, devices: ["/dev/ttyUSB0:/dev/ttyUSB0"]. A reader in the network: hanbridge ` +
			"doctor tcp://ADDRESS:PORT"}
	}
	for _, port := range found {
		err := d.usable(port.Path)
		if err == nil && d.configuredElsewhere(port) {
			continue
		}
		if err == nil {
			free = append(free, config.Port{Kind: config.SerialPort, Address: port.Path})
			continue
		}
		d.skip(port, err)
		if v == nil {
			v = portVerdict(err)
		}
	}
	if len(free) > 0 {
		return free, nil
	}
	return nil, v
}

// configuredElsewhere tells that another meter of the configuration has this port.
func (d *examination) configuredElsewhere(port source.Port) bool {
	return slices.ContainsFunc(d.cfg.Meters, func(m config.Meter) bool {
		return m.Port.Kind == config.SerialPort && (m.Port.Address == port.Path || m.Port.Address == port.Device)
	})
}

func (d *examination) skip(port source.Port, err error) {
	reason := strings.TrimPrefix(err.Error(), "open "+port.Path+": ")
	d.report.Port.Skipped = append(d.report.Port.Skipped, skippedPort{port.Path, reason})
	d.say("port", port.Path+"   skipped: "+reason)
}
