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

// MeterFlags say where a command sees a meter: in a file, in a simulation, or, where neither is named, elsewhere.
type MeterFlags struct{ Config, Family string }

// AddMeterFlags gives a command the flags that say where a meter is seen. family is what --family does there.
func AddMeterFlags(c *cobra.Command, family string) *MeterFlags {
	f := new(MeterFlags)
	c.Flags().StringVar(&f.Config, "config", "", "configuration `FILE`")
	c.Flags().StringVar(&f.Family, "family", "", family+", `NAME` as simulate --list names it")
	return f
}

// A Observation is what telegrams tell of their meter.
type Observation struct {
	// Meter has the id and the name of the configuration's first, and the quantities in the order in which they came.
	Meter discovery.Meter
	// Telegrams and Sent count telegrams and those with a quantity.
	Telegrams int
	Sent      map[quantity.ID]int
	// Interval is that of telegrams, where it is known for certain.
	Interval time.Duration
	// First and Last are the meter's own clock, zero where it has none.
	First, Last time.Time
}

// Observe returns what is in the file or comes from the family; nil where neither is named.
func (f *MeterFlags) Observe(command string, w *daemon.Setup, files []string) (*Observation, error) {
	switch {
	case len(files) > 0 && f.Family != "":
		return nil, fmt.Errorf("%s: a file or --family, not both", command)
	case len(files) > 0:
		return observeFile(w, files[0])
	case f.Family != "":
		family, err := virtualport.Family(f.Family)
		if err != nil {
			return nil, err
		}
		return ObserveFamily(w, family)
	}
	return nil, nil
}

// ObserveFamily sees a simulated meter for an hour, from the full hour on: some lists come no oftener.
func ObserveFamily(w *daemon.Setup, f simulate.Family) (*Observation, error) {
	telegrams := int(time.Hour / f.Interval)
	if f.HourlyOffset%f.Interval != 0 {
		telegrams++
	}
	var stream bytes.Buffer
	hour := simulate.NewMeter(f, 1, time.Now().Truncate(time.Hour))
	for range telegrams {
		_, telegram := hour.Next()
		stream.Write(telegram)
	}
	s, err := observe(w, f.Name, &stream, meter.Options{Keys: virtualport.KeysOf(f)})
	if err == nil {
		s.Interval = f.Interval
	}
	return s, err
}

func observeFile(w *daemon.Setup, name string) (*Observation, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o, err := daemon.OptionsOf(w.Meters[0])
	if err != nil {
		return nil, err
	}
	return observe(w, name, capture.NewBytesReader(f), o)
}

// see reads all that a meter sends, with the options that its telegrams need.
func observe(w *daemon.Setup, name string, r io.Reader, o meter.Options) (*Observation, error) {
	s := &Observation{Meter: discovery.Meter{ID: w.Meters[0].ID, Name: w.Meters[0].Name}, Sent: map[quantity.ID]int{}}
	var locked *dlms.EncryptedError
	o.AcceptUnverified = true
	for d := meter.NewDecoder(r, o); ; {
		reading, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			if e, ok := errors.AsType[*dlms.EncryptedError](bad); ok {
				locked = cmp.Or(locked, e)
			}
			continue
		}
		if err != nil {
			return nil, cli.DataError(err)
		}
		s.take(reading)
	}
	switch {
	case len(s.Sent) == 0 && locked != nil:
		return nil, cli.DataError(fmt.Errorf("%s: its telegrams are encrypted, and %s", name, keyWanted(locked)))
	case len(s.Sent) == 0:
		return nil, cli.DataError(fmt.Errorf("%s: no telegram in it", name))
	}
	return s, nil
}

func (s *Observation) take(r *meter.Reading) {
	m := &s.Meter
	if r.Meter.List != "" || m.Software == "" { // as the bridge: a make without a list does not replace one that came with it
		m.Make = cmp.Or(r.Meter.Make, m.Make)
	}
	m.Model = cmp.Or(r.Meter.Model, m.Model)
	m.Serial, m.Software = cmp.Or(r.Meter.Serial, m.Serial), cmp.Or(r.Meter.List, m.Software)
	s.Telegrams++
	if !r.Time.IsZero() {
		s.Last = r.Time.Time(time.Local)
		if s.First.IsZero() {
			s.First = s.Last
		}
	}
	for _, sample := range r.Samples {
		if s.Sent[sample.ID]++; s.Sent[sample.ID] == 1 {
			m.Quantities = append(m.Quantities, discovery.Quantity{ID: sample.ID, UnitIndex: sample.UnitIndex, Decimals: sample.Decimals()})
		}
	}
}

// keyWanted says which key of the configuration would open a telegram.
func keyWanted(e *dlms.EncryptedError) string {
	switch {
	case e.AuthKey:
		return "the key of the configuration fits, but its authentication key does not: compare auth_key, or leave it out"
	case e.Tried:
		return "no key of the configuration fits: name that of the meter as key or key_file; " + render.SwappedKeysAdvice
	}
	return "the configuration has no key: name the file with that of the meter as key_file, in the file of --config or as HANBRIDGE_METER_KEY_FILE"
}
