// Package doctor implements the commands doctor and check. The command doctor examines the port, the line setting, the meter and the broker. It
// says what is wrong and who can correct it. The command check validates the configuration and connects to the broker, but does not open the
// meters' ports.
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

// Examine implements the command doctor. It examines one meter and prints a report. It returns cli.ErrPrinted if something is wrong.
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

// examination is one run of the command doctor, for one meter. Its functions for ports and brokers are fields, because tests replace them.
type examination struct {
	options Options
	cfg     config.Config
	index   int    // index of the meter in cfg
	file    string // the file of cfg; "" for none

	originalText     string         // text of the loaded configuration
	autoPort         bool           // the port of the configuration or of the command line is auto
	omitsKey         bool           // the key of --key is not written to the configuration, because key_file is set
	configuredSerial *config.Serial // the configured line setting if --serial replaces it; nil without --serial
	correctsSerial   bool           // --write corrects a wrong line setting in the configuration
	wrongSerial      string         // a text about the wrong line setting of the configuration that --write corrects; "" for none
	remark           string         // a text that is added to the verdict if all is well; "" for none
	dwell            time.Duration  // how long to listen at each line setting

	ports       func() []source.Port                                         // returns the serial ports of this machine
	portError   func(path string) error                                      // returns why a port cannot be read, or nil
	endpointsOf func(config.Meter) ([]probe.Endpoint, error)                 // returns the endpoints of the meter's port
	tryBroker   func(context.Context, mqtt.Config) (mqtt.CheckResult, error) // returns an error if the bridge cannot work with the broker
	hubOnline   func(context.Context, mqtt.Config) (bool, error)             // reports whether a hub, such as Home Assistant, has announced itself

	printLine func(name, text string)          // prints a line of the report
	print     func(text string)                // prints the text below the report
	progress  func(format string, args ...any) // prints the current step if standard error is a terminal
	report    doctorReport
	found     *observation // what the endpoint with the meter has sent; nil before it is found
}

// newExamination returns an examination of this machine's ports and the configured broker.
func newExamination(p *cli.Program, o Options) (*examination, error) {
	if o.Dwell <= 0 {
		return nil, errors.New("--dwell: want a time above 0, such as 12s")
	}
	d := &examination{
		options: o, file: config.FindFile(o.Config), dwell: o.Dwell, ports: source.Ports, portError: source.CheckPort,
		endpointsOf: func(m config.Meter) ([]probe.Endpoint, error) { return daemon.SourceOf(m).Endpoints() },
		tryBroker:   mqtt.Check, hubOnline: mqtt.HubOnline,
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
		d.file = "" // the file does not exist yet: --write creates it
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

// reportLine returns a line of the report: a name in the first ten columns, then text. For a terminal, the text is wrapped.
func reportLine(name, text string, isTerminal bool) string {
	text = safetext.Escape(text)
	if isTerminal {
		text = strings.ReplaceAll(cli.Wrap(text, cli.Columns-10), "\n", "\n          ")
	}
	return fmt.Sprintf("%-10s%s\n", name, text)
}

// meter returns the meter that is examined.
func (d *examination) meter() *config.Meter { return &d.cfg.Meters[d.index] }

// examine runs the steps from the port to the broker. It stops at the first step that returns a verdict.
func (d *examination) examine(ctx context.Context) {
	for _, step := range []func(context.Context) *verdict{d.findMeter, d.reportTelegrams, d.examineBroker} {
		if v := step(ctx); v != nil {
			if d.wrongSerial != "" {
				v.Text += "; besides, " + d.wrongSerial // conclude writes nothing, so --write does not correct the line setting
			}
			d.report.Verdict = *v
			return
		}
	}
	d.report.OK, d.report.Verdict = true, d.wellVerdict()
}
