// Package rates estimates how many states a day a configuration causes in a hub, for each quantity and in all.
package rates

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/estimate"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/discovery"
)

// Run prints the rates of the meter that flags or files name. If they name none, it prints the rates of the configured meters, as far as the
// broker retains their messages.
func Run(ctx context.Context, p *cli.Program, from *announcements.MeterFlags, files []string, asJSON bool) error {
	setup, err := announcements.Load(p, from.Config, "")
	if err != nil {
		return err
	}
	seen, err := from.Observe("rates", setup, files)
	if err != nil {
		return err
	}
	r := report{Publish: setup.Publish.String()}
	if seen != nil {
		r.add(setup.Config, profileOf(seen))
	} else {
		ctx, cancel := context.WithTimeout(ctx, announcements.ReadTimeout)
		defer cancel()
		k, err := announcements.Retained{}, errors.New("no broker is set")
		if setup.RequireBroker() == nil {
			k, err = announcements.ReadRetained(ctx, setup)
		}
		r.addRetained(setup, k, err)
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(r)
	}
	return r.print(p.Out)
}

// A report is what `rates --json` prints.
type report struct {
	Publish string `json:"publish"`
	// Note says which numbers are not those of the configured meters.
	Note   string       `json:"note,omitempty"`
	Meters []meterRates `json:"meters"`
	dayRates
}

// dayRates are numbers of states a day: with this configuration, and if every telegram were published.
type dayRates struct {
	States        int `json:"states"`
	EveryTelegram int `json:"every_telegram"`
}

type meterRates struct {
	Meter string `json:"meter"`
	// Interval is the time between two telegrams, in seconds.
	Interval    json.Number    `json:"interval"`
	Quantities  []quantityRate `json:"quantities"`
	Diagnostics diagnosticRate `json:"diagnostics"`
	dayRates
}

type quantityRate struct {
	Quantity string `json:"quantity"`
	// Every is the time between two telegrams with this quantity, in seconds.
	Every json.Number `json:"every"`
	dayRates
}

// A diagnosticRate is the rate of the bridge's diagnostic values, of which only the changingDiagnostics ones count. Every is in seconds.
type diagnosticRate struct {
	Every json.Number `json:"every"`
	Names []string    `json:"names"`
	dayRates
}

// changingDiagnostics are the diagnostic values that change each time they are published. A hub does not store an unchanged state again.
var changingDiagnostics = []string{discovery.LastTelegram, discovery.Telegrams}

const day = 24 * time.Hour

func (d *dayRates) addRates(other dayRates) {
	d.States += other.States
	d.EveryTelegram += other.EveryTelegram
}

// add adds the rates of a meter to the report.
func (r *report) add(c config.Config, m sendProfile) {
	one := meterRates{Meter: m.id, Interval: inSeconds(m.interval)}
	for i, states := range estimate.Day(c.Plan(), m.quantities, m.interval) {
		rate := quantityRate{states.ID.String(), inSeconds(m.quantities[i].Interval), dayRates{states.Throttled, states.EveryTelegram}}
		one.Quantities = append(one.Quantities, rate)
		one.addRates(rate.dayRates)
	}
	every := c.Plan().DiagnosticsInterval()
	one.Diagnostics = diagnosticRate{inSeconds(every), changingDiagnostics, dayRates{len(changingDiagnostics) * int(day/every), len(changingDiagnostics) * int(day/time.Minute)}}
	one.addRates(one.Diagnostics.dayRates)
	r.Meters = append(r.Meters, one)
	r.addRates(one.dayRates)
}

func inSeconds(d time.Duration) json.Number {
	return json.Number(strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
}

// print writes the report as text, with a table for each meter.
func (r *report) print(out io.Writer) error {
	var b strings.Builder
	if r.Note != "" {
		fmt.Fprintf(&b, "%s\n\n", r.Note)
	}
	for _, m := range r.Meters {
		m.print(&b, r.Publish)
	}
	if len(r.Meters) > 1 {
		rateLine(&b, "all meters", "", r.States, r.EveryTelegram)
	}
	fmt.Fprintf(&b, "\npublish: %s causes about %s states a day, %s of every telegram\n", r.Publish, groupDigits(r.States), r.share())
	_, err := io.WriteString(out, b.String())
	return err
}

func (m *meterRates) print(b *strings.Builder, publish string) {
	fmt.Fprintf(b, "%s, a telegram every %s s\n\n", m.Meter, m.Interval)
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", "QUANTITY", "SENT EVERY", "STATES A DAY", "EVERY TELEGRAM")
	for _, q := range m.Quantities {
		rateLine(b, q.Quantity, string(q.Every)+" s", q.States, q.EveryTelegram)
	}
	rateLine(b, strings.Join(m.Diagnostics.Names, ", "), string(m.Diagnostics.Every)+" s", m.Diagnostics.States, m.Diagnostics.EveryTelegram)
	rateLine(b, "total", "", m.States, m.EveryTelegram)
}

func rateLine(b *strings.Builder, name, every string, states, all int) {
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", name, every, groupDigits(states), groupDigits(all))
}

// share returns the configured states as a share of those of every telegram, in percent with one decimal.
func (d dayRates) share() string {
	tenths := (d.States*1000 + d.EveryTelegram/2) / max(d.EveryTelegram, 1)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// groupDigits returns a number with a blank between groups of three digits.
func groupDigits(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
