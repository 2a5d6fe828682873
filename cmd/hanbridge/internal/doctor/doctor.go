// Package doctor implements the commands doctor and check. It examines what a bridge needs (port, line setting, meter, broker), and says
// what is wrong and who can correct it. Check does so for scripts, without opening a port.
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

// Examine implements the command doctor: it examines one meter, and prints the report. It returns cli.ErrPrinted if something is wrong.
func Examine(ctx context.Context, p *cli.Program, o Options) error {
	d, err := newExamination(p, o)
	if err != nil {
		return err
	}
	if err := o.checkWritable(); err != nil {
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

// An examination is one run of the command, for one meter. It reaches ports and brokers through functions that tests replace.
type examination struct {
	options Options
	cfg     config.Config
	index   int    // index of the meter in cfg
	file    string // the file of cfg; "" for none

	originalText     string         // text of the configuration before the examination
	autoPort         bool           // the configured port is auto
	omitsKey         bool           // the key of --key is not written, because the configuration has a file of keys
	configuredSerial *config.Serial // the setting that --serial replaces; nil without --serial
	correctsSerial   bool           // a wrong line setting is corrected in the file that will be written
	wrongSerial      string         // a sentence about that setting; "" if it is right
	remark           string         // text after "all well"
	dwell            time.Duration

	ports       func() []source.Port
	usable      func(path string) error
	endpointsOf func(config.Meter) ([]probe.Endpoint, error)
	checkBroker func(context.Context, mqtt.Config) (mqtt.CheckResult, error)
	askHub      func(context.Context, mqtt.Config) (bool, error)

	printLine func(name, text string) // prints a line of the report
	print     func(text string)       // prints the text below the report
	progress  func(format string, args ...any)
	report    doctorReport
	found     *observation // what the endpoint with the meter has sent; nil before it is found
}

// newExamination returns an examination of this machine's ports and the configured broker.
func newExamination(p *cli.Program, o Options) (*examination, error) {
	if o.Dwell <= 0 {
		return nil, errors.New("--dwell is above 0")
	}
	d := &examination{
		options: o, file: config.FindFile(o.Config), dwell: o.Dwell, ports: source.Ports, usable: source.CheckPort,
		endpointsOf: func(m config.Meter) ([]probe.Endpoint, error) { return daemon.SourceOf(m).Endpoints() },
		checkBroker: mqtt.Check, askHub: mqtt.HubOnline,
		printLine: func(name, text string) { fmt.Fprint(p.Out, reportLine(name, text, cli.IsTerminal(p.Out))) },
		print:     func(text string) { fmt.Fprint(safetext.LineWriter{W: p.Out}, text) },
		progress:  func(string, ...any) {},
	}
	if o.JSON {
		d.printLine, d.print = func(string, string) {}, func(string) {}
	}
	if cli.IsTerminal(p.Err) {
		d.progress = func(format string, args ...any) { fmt.Fprintf(safetext.LineWriter{W: p.Err}, format+"\n", args...) }
	}
	if _, err := os.Stat(d.file); o.Config != "" && o.Write && errors.Is(err, os.ErrNotExist) {
		d.file = "" // the file will be written
	}
	cfg, err := config.Load(d.file, p.Environ)
	if err != nil {
		return nil, err
	}
	d.cfg, d.originalText = cfg, config.Text(cfg, config.ShowSecrets)
	d.correctsSerial = o.Write && d.file != "" && !slices.ContainsFunc(p.Environ, func(entry string) bool {
		return strings.HasPrefix(entry, "HANBRIDGE_METER_SERIAL=") // the variable overrides every file
	})
	if err := d.selectMeter(o); err != nil {
		return nil, err
	}
	if o.Write && d.meter().Port.Kind == config.ReplayPort {
		return nil, errors.New("--write: a recording is not a port to configure")
	}
	return d, nil
}

// reportLine returns a line of the report: a name, and a text beside it. For a person the text is wrapped.
func reportLine(name, text string, person bool) string {
	text = safetext.Escape(text)
	if person {
		text = strings.ReplaceAll(cli.Wrap(text, cli.Columns-10), "\n", "\n          ")
	}
	return fmt.Sprintf("%-10s%s\n", name, text)
}

// meter returns the meter that is examined.
func (d *examination) meter() *config.Meter { return &d.cfg.Meters[d.index] }

// examine runs the steps from the port to the broker, and stops at the first that gives a verdict.
func (d *examination) examine(ctx context.Context) {
	for _, step := range []func(context.Context) *verdict{d.findMeter, d.readMeter, d.examineBroker} {
		if v := step(ctx); v != nil {
			if d.wrongSerial != "" {
				v.Text += "; besides, " + d.wrongSerial // nothing is written, so the setting is not corrected
			}
			d.report.Verdict = *v
			return
		}
	}
	d.report.OK, d.report.Verdict = true, d.wellVerdict()
}
