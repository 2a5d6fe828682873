package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// findLine tries the settings of a port until one gives a telegram, the configured one first.
func (d *examination) findLine(ctx context.Context, m config.Meter) *verdict {
	options, err := daemon.OptionsOf(m)
	if err != nil {
		return &verdict{codePort, err.Error()}
	}
	decoder := meter.NewDecoder(nil)
	decoder.Options = options
	l := &listener{decoder: decoder, dwell: d.dwell, progress: d.progress}
	source := probe.Source{Endpoints: func() ([]probe.Endpoint, error) { return d.endpoints(m) }, Recorded: m.Port.Kind == config.ReplayPort}
	found := probe.Probe(ctx, source, probe.Options{
		Dwell: d.dwell, Once: true, ReadOn: l.readOn,
		Decode: func(wire io.Reader) probe.Decoder { decoder.Reset(wire); return decoder },
	}, l)
	for _, f := range found.Tried {
		d.report.Line.Tried = append(d.report.Line.Tried, triedLine{f.Port, f.Line, f.Bytes, f.Verdict.String()})
	}
	closed, isClosed := errors.AsType[probe.ClosedError](found.Err)
	switch {
	case found.Proved != nil:
		d.found = &l.observation
		return nil
	case found.Err == nil || source.Recorded && errors.Is(found.Err, io.EOF) || isClosed && closed != probe.ErrClosedEmpty:
	default:
		return portVerdict(found.Err)
	}
	if ctx.Err() == nil {
		d.say("line", triedText(found.Tried))
	}
	return d.lineVerdict(m.Port, found.Tried)
}

// endpoints are those of a meter: its own line setting first, then those that meters use.
func (d *examination) endpoints(m config.Meter) ([]probe.Endpoint, error) {
	all, err := d.wires(m)
	if m.Port.Kind != config.SerialPort || m.Serial.Auto || err != nil {
		return all, err
	}
	m.Serial = config.Serial{Auto: true}
	usual, err := d.wires(m)
	return append(all, slices.DeleteFunc(usual, func(c probe.Endpoint) bool { return c.Line == all[0].Line })...), err
}

// triedText is what the settings gave that have been tried in vain.
func triedText(tried probe.Findings) string {
	var parts []string
	for _, f := range tried {
		setting := f.Line
		if setting == "" {
			setting = "read"
		}
		parts = append(parts, fmt.Sprintf("%s: %d bytes, %s", setting, f.Bytes, f.Verdict))
	}
	return "no telegram (" + strings.Join(parts, "; ") + ")"
}
