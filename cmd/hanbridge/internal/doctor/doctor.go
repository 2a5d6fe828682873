// Package doctor looks at what a bridge needs (port, line setting, meter, broker) and says what is wrong and whose turn
// it is. Check does so for scripts, without touching the meter.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// Examine examines one meter and prints what it finds.
func Examine(ctx context.Context, p *cli.Program, o Options) error {
	d, err := newExamination(p, o)
	if err != nil {
		return err
	}
	if err := o.refusesToWrite(); err != nil {
		return err
	}
	d.examine(ctx)
	if ctx.Err() != nil {
		return cli.DataError(errors.New("doctor: stopped"))
	}
	if err := d.conclude(); err != nil {
		return cli.DataError(err)
	}
	if o.JSON {
		err = printJSON(p, d.report)
	}
	if err == nil && !d.report.OK {
		return cli.ErrPrinted
	}
	return err
}

// An examination looks at one meter. What it touches of the world are functions, so that tests have another.
type examination struct {
	options Options
	cfg     config.Config
	index   int    // of the meter in cfg
	file    string // of cfg, "" for none

	before     string         // the configuration as it was read
	auto       bool           // the port of the meter is looked for
	masked     bool           // the key came by the command line, and stays out of what is written
	configured *config.Serial // what --serial is laid over, nil without it
	mends      bool           // a wrong setting goes with the file that is written
	misset     string         // that setting, in a sentence
	remark     string         // stands behind "all well"
	dwell      time.Duration

	ports  func() []source.Port
	usable func(path string) error
	wires  func(config.Meter) ([]probe.Endpoint, error)
	check  func(context.Context, mqtt.Config) (mqtt.CheckResult, error)
	hub    func(context.Context, mqtt.Config) (bool, error)

	say      func(name, text string) // a line of the report
	print    func(text string)       // what stands below it
	progress func(format string, args ...any)
	report   doctorReport
	found    *observation // of the endpoint that gave a telegram
}

// newExamination returns a doctor for the machine that it runs on.
func newExamination(p *cli.Program, o Options) (*examination, error) {
	if o.Dwell <= 0 {
		return nil, errors.New("--dwell is above 0")
	}
	d := &examination{
		options: o, file: config.FindFile(o.Config), dwell: o.Dwell, ports: source.Ports, usable: source.CheckPort,
		wires: func(m config.Meter) ([]probe.Endpoint, error) { return daemon.SourceOf(m).Endpoints() },
		check: mqtt.Check, hub: mqtt.HubOnline,
		say:      func(name, text string) { fmt.Fprint(p.Out, reportLine(name, text, cli.IsTerminal(p.Out))) },
		print:    func(text string) { fmt.Fprint(safetext.LineWriter{W: p.Out}, text) },
		progress: func(string, ...any) {},
	}
	if o.JSON {
		d.say, d.print = func(string, string) {}, func(string) {}
	}
	if cli.IsTerminal(p.Err) {
		d.progress = func(format string, args ...any) { fmt.Fprintf(safetext.LineWriter{W: p.Err}, format+"\n", args...) }
	}
	if _, err := os.Stat(d.file); o.Config != "" && o.Write && errors.Is(err, os.ErrNotExist) {
		d.file = "" // it is to be written
	}
	cfg, err := config.Load(d.file, p.Environ)
	if err != nil {
		return nil, err
	}
	d.cfg, d.before = cfg, config.Text(cfg, config.ShowSecrets)
	d.mends = o.Write && d.file != "" && !slices.ContainsFunc(p.Environ, func(entry string) bool {
		return strings.HasPrefix(entry, "HANBRIDGE_METER_SERIAL=") // it wins over every file
	})
	if err := d.choose(o); err != nil {
		return nil, err
	}
	if o.Write && d.meter().Port.Kind == config.ReplayPort {
		return nil, errors.New("--write: a recording is not a port to configure")
	}
	return d, nil
}

// reportLine returns a line of the report: a name, and a text beside it, which is wrapped for a person and whole for a program.
func reportLine(name, text string, person bool) string {
	text = safetext.Escape(text)
	if person {
		text = strings.ReplaceAll(cli.Wrap(text, cli.Columns-10), "\n", "\n          ")
	}
	return fmt.Sprintf("%-10s%s\n", name, text)
}

// meter is the one that is examined.
func (d *examination) meter() *config.Meter { return &d.cfg.Meters[d.index] }

// examine goes from the port to the broker, and stops where something is wrong.
func (d *examination) examine(ctx context.Context) {
	for _, step := range []func(context.Context) *verdict{d.findMeter, d.readMeter, d.tryBroker} {
		if v := step(ctx); v != nil {
			if d.misset != "" {
				v.Text += "; besides, " + d.misset // nothing is written, so it is not mended
			}
			d.report.Verdict = *v
			return
		}
	}
	d.report.OK, d.report.Verdict = true, d.well()
}
