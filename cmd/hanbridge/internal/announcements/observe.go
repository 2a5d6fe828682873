package announcements

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// MeterFlags are flags of commands that read the telegrams of a file or of a simulated meter.
type MeterFlags struct{ Config, Family string }

// AddMeterFlags adds the flags to a command. family is the help text of --family.
func AddMeterFlags(c *cobra.Command, family string) *MeterFlags {
	f := new(MeterFlags)
	c.Flags().StringVar(&f.Config, "config", "", "configuration `FILE`")
	c.Flags().StringVar(&f.Family, "family", "", family+": a `NAME` that simulate --list prints")
	return f
}

// An Observation describes a meter by its telegrams.
type Observation struct {
	// Meter has the id and the name of the first configured meter. All other fields of Meter are from the telegrams. The quantities are in
	// the order in which they were first sent.
	Meter discovery.Meter
	// Telegrams is the number of telegrams with a reading.
	Telegrams int
	// Sent is the number of telegrams with each quantity.
	Sent map[quantity.ID]int
	// Interval is the interval between telegrams of a simulated meter; 0 for a file.
	Interval time.Duration
	// First and Last are the times that the meter sent in its first and last telegram; zero if it sends no time.
	First, Last time.Time
}

// Observe reads the telegrams of the first file, or of the simulated family. It returns nil if neither a file nor a family is named, and an
// error if both are named. command is the name of the command, for errors.
func (f *MeterFlags) Observe(command string, setup *daemon.Setup, files []string) (*Observation, error) {
	switch {
	case len(files) > 0 && f.Family != "":
		return nil, fmt.Errorf("%s: a file or --family, not both", command)
	case len(files) > 0:
		return observeFile(setup, files[0])
	case f.Family != "":
		family, err := virtualport.Family(f.Family)
		if err != nil {
			return nil, err
		}
		return ObserveFamily(setup, family)
	}
	return nil, nil
}

// ObserveFamily observes one hour of a simulated meter, because the meter sends some lists only once an hour.
func ObserveFamily(setup *daemon.Setup, f simulate.Family) (*Observation, error) {
	telegrams := int(time.Hour / f.Interval)
	if f.HourlyOffset%f.Interval != 0 {
		telegrams++ // the hourly telegram is sent between two of the telegrams counted above
	}
	var stream bytes.Buffer
	simulated := simulate.NewMeter(f, 1, time.Now().Truncate(time.Hour))
	for range telegrams {
		_, telegram := simulated.Next()
		stream.Write(telegram)
	}
	observed, err := observe(setup, f.Name, &stream, meter.Options{Keys: virtualport.KeysOf(f)})
	if err == nil {
		observed.Interval = f.Interval
	}
	return observed, err
}

// observeFile reads the telegrams of a file, with the options of the first configured meter.
func observeFile(setup *daemon.Setup, name string) (*Observation, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	options, err := daemon.OptionsOf(setup.Meters[0])
	if err != nil {
		return nil, err
	}
	return observe(setup, name, capture.NewBytesReader(f), options)
}

// observe reads all telegrams of a stream. It returns an error if no telegram has a value. name is the name of the stream, for errors.
func observe(setup *daemon.Setup, name string, r io.Reader, options meter.Options) (*Observation, error) {
	observed := &Observation{Meter: discovery.Meter{ID: setup.Meters[0].ID, Name: setup.Meters[0].Name}, Sent: map[quantity.ID]int{}}
	var encryptedErr *dlms.EncryptedError
	options.AcceptUnverified = true
	for d := meter.NewDecoder(r, options); ; {
		reading, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			if e, ok := errors.AsType[*dlms.EncryptedError](bad); ok {
				encryptedErr = cmp.Or(encryptedErr, e)
			}
			continue
		}
		if err != nil {
			return nil, cli.DataError(err)
		}
		observed.add(reading)
	}
	switch {
	case len(observed.Sent) == 0 && encryptedErr != nil:
		return nil, cli.DataError(fmt.Errorf("%s: its telegrams are encrypted, and %s", name, keyAdvice(encryptedErr)))
	case len(observed.Sent) == 0:
		return nil, cli.DataError(fmt.Errorf("%s: no telegram in it", name))
	}
	return observed, nil
}

// add adds what a telegram says about its meter.
func (o *Observation) add(r *meter.Reading) {
	m := &o.Meter
	// m.Software is the name of the list. After a telegram that names a list, the make of a telegram without the name of a list is ignored.
	if r.Meter.List != "" || m.Software == "" {
		m.Make = cmp.Or(r.Meter.Make, m.Make)
	}
	m.Model = cmp.Or(r.Meter.Model, m.Model)
	m.Serial, m.Software = cmp.Or(r.Meter.Serial, m.Serial), cmp.Or(r.Meter.List, m.Software)
	o.Telegrams++
	if !r.Time.IsZero() {
		o.Last = r.Time.Time(time.Local)
		if o.First.IsZero() {
			o.First = o.Last
		}
	}
	for _, sample := range r.Samples {
		if o.Sent[sample.ID]++; o.Sent[sample.ID] == 1 {
			m.Quantities = append(m.Quantities, discovery.Quantity{ID: sample.ID, UnitIndex: sample.UnitIndex, Decimals: sample.Decimals()})
		}
	}
}

// keyAdvice says which key the configuration needs to decrypt the telegrams.
func keyAdvice(e *dlms.EncryptedError) string {
	switch {
	case e.AuthKey:
		return "the key of the configuration fits, but its authentication key does not: compare auth_key with what your grid company gave you, or remove auth_key"
	case e.Tried:
		return "no key of the configuration fits: set key or key_file to the key of the meter; " + render.SwappedKeysAdvice
	}
	return "the configuration has no key: write the key of the meter into a file, and set key_file in the file of --config to this file, or set HANBRIDGE_METER_KEY_FILE"
}
