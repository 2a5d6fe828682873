package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// findLine tries the settings of a port until one gives a telegram, the configured one first.
func (d *examination) findLine(ctx context.Context, m config.Meter) *verdict {
	options, err := daemon.OptionsOf(m)
	if err != nil {
		return &verdict{codePort, err.Error()}
	}
	endpoints, err := d.endpoints(m)
	if err != nil {
		return portVerdict(err)
	}
	var trials []*heard
	for _, c := range endpoints {
		if silentEnough(trials) {
			break
		}
		d.progress("listening on %s, %v at most …", daemon.WireName(c), d.dwell)
		h, err := d.listen(ctx, c, options)
		if err != nil {
			return portVerdict(err)
		}
		d.report.Line.Tried = append(d.report.Line.Tried, triedLine{c.Port, c.Line, h.evidence.Bytes(), h.evidence.Verdict().String()})
		if h.settled() {
			d.heard = h
			return nil
		}
		trials = append(trials, h)
	}
	if ctx.Err() == nil {
		d.say("line", trialText(trials))
	}
	if m.Port.Kind == config.ReplayPort && len(trials) > 0 && trials[0].evidence.Bytes() == 0 {
		return &verdict{codeSilent, m.Port.Address + ": the recording is empty"}
	}
	return lineVerdict(m.Port, trials)
}

// endpoints are the wires of a meter: its own line setting first, then those that meters use.
func (d *examination) endpoints(m config.Meter) ([]probe.Endpoint, error) {
	all, err := d.wires(m)
	if m.Port.Kind != config.SerialPort || m.Serial.Auto || err != nil {
		return all, err
	}
	m.Serial = config.Serial{Auto: true}
	usual, err := d.wires(m)
	return append(all, slices.DeleteFunc(usual, func(c probe.Endpoint) bool { return c.Line == all[0].Line })...), err
}

// silentEnough tells that nothing has come at two speeds: at a wrong one too a meter that speaks gives bytes.
func silentEnough(trials []*heard) bool {
	speeds := map[string]bool{}
	for _, h := range trials {
		if h.evidence.Bytes() > 0 {
			return false
		}
		speed, _, _ := strings.Cut(h.endpoint.Line, " ")
		speeds[speed] = true
	}
	return len(speeds) > 1
}

// trialText is what the settings gave that have been tried in vain.
func trialText(trials []*heard) string {
	var parts []string
	for _, h := range trials {
		setting := h.endpoint.Line
		if setting == "" {
			setting = "read"
		}
		parts = append(parts, fmt.Sprintf("%s: %d bytes, %s", setting, h.evidence.Bytes(), h.evidence.Verdict()))
	}
	return "no telegram (" + strings.Join(parts, "; ") + ")"
}

// listen reads one wire: until it has given no telegram in its time, or, once it has, until enough is known of the meter. A reader
// in the network that closes the connection behind a telegram is dialled again.
func (d *examination) listen(ctx context.Context, c probe.Endpoint, options meter.Options) (*heard, error) {
	h := newHeard(c, d.dwell)
	decoder := meter.NewDecoder(nil)
	decoder.Options = options
	h.timer = time.AfterFunc(d.dwell, h.end)
	defer h.timer.Stop()
	for {
		before := h.telegrams
		err := d.connection(ctx, c, h, decoder)
		if err != nil && before > 0 {
			return h, nil // it is not there again
		}
		if err != nil || h.telegrams == before || !h.ended || h.enough() || h.over.Load() || ctx.Err() != nil || !isTCP(c) {
			return h, err
		}
		h.ended = false
		h.evidence.Begin()
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond): // one that gives what it has kept is not asked without end
		}
	}
}

func isTCP(c probe.Endpoint) bool { return strings.HasPrefix(c.Port, "tcp://") }

// connection reads a wire until it ends, or until enough is known.
func (d *examination) connection(ctx context.Context, c probe.Endpoint, h *heard, decoder *meter.Decoder) error {
	wire, err := c.Dial(ctx)
	if err != nil {
		return err
	}
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { _ = wire.Close() })()
	h.use(wire)
	decoder.Reset(&witness{wire, &h.evidence})
	defer func() { h.telnet = h.telnet || decoder.Telnet() }()
	for !h.enough() {
		r, err := decoder.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case err == nil:
			h.telegrams++
			h.good(r, time.Now())
		case damaged:
			h.bad(bad, time.Now())
		case h.over.Load() || ctx.Err() != nil:
			return nil
		case h.evidence.Bytes() == 0 && isTCP(c):
			return fmt.Errorf("%s: %w", c.Port, closedError{err})
		case h.settled() || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
			h.ended = true
			return nil // what was heard tells more than that it ended
		default:
			return fmt.Errorf("%s: %w", c.Port, err)
		}
	}
	return nil
}

// closedError is how a reader in the network ended that gave nothing.
type closedError struct{ error }

func (e closedError) Error() string {
	return "closed before a byte came (" + e.error.Error() + "): many readers serve one program at a time, so stop the other one; or it is not a reader"
}

func (e closedError) Unwrap() error { return e.error }

// witness shows what is read to the evidence.
type witness struct {
	wire     interface{ Read([]byte) (int, error) }
	evidence *line.Evidence
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.wire.Read(p)
	w.evidence.Add(p[:n])
	return n, err
}
