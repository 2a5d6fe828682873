// Package rates implements the command rates. It estimates how many states a hub such as Home Assistant stores in a day with a configuration:
// for each quantity, and in total.
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

// Run prints the rates of the meter that flags or files name. If neither names a meter, Run prints the rates of the configured meters for which
// the broker retains messages.
func Run(ctx context.Context, p *cli.Program, from *announcements.MeterFlags, files []string, asJSON bool) error {
	setup, err := announcements.Load(p, from.Config, "")
	if err != nil {
		return err
	}
	observed, err := from.Observe("rates", setup, files)
	if err != nil {
		return err
	}
	r := report{Publish: setup.MQTTPreset().String()}
	if observed != nil {
		r.add(setup.Config, profileOf(observed))
	} else {
		ctx, cancel := context.WithTimeout(ctx, announcements.ReadTimeout)
		defer cancel()
		retained, err := announcements.Retained{}, errors.New("no broker is set")
		if setup.RequireBroker() == nil {
			retained, err = announcements.ReadRetained(ctx, setup)
		}
		r.addRetained(setup, retained, err)
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(r)
	}
	return r.print(p.Out)
}

// report is what `rates --json` prints.
type report struct {
	// Publish is the preset of the MQTT output, from which a hub gets its states.
	Publish string `json:"publish"`
	// Note says which meters are not counted, or why the numbers are those of a typical meter; "" for none.
	Note   string       `json:"note,omitempty"`
	Meters []meterRates `json:"meters"`
	dayRates
	estimator *estimate.Estimator // nil before the first meter
}

// dayRates are numbers of states a day.
type dayRates struct {
	States        int `json:"states"`         // with this configuration
	EveryTelegram int `json:"every_telegram"` // if the values of every telegram were published
}

// meterRates are the rates of a meter: of each quantity, and in total.
type meterRates struct {
	Meter string `json:"meter"`
	// Interval is the time between two telegrams, in seconds.
	Interval    json.Number    `json:"interval"`
	Quantities  []quantityRate `json:"quantities"`
	Diagnostics diagnosticRate `json:"diagnostics"`
	dayRates
}

// quantityRate is the rate of a quantity.
type quantityRate struct {
	Quantity string `json:"quantity"`
	// Every is the time between two telegrams with this quantity, in seconds.
	Every json.Number `json:"every"`
	dayRates
}

// diagnosticRate is the rate of the changingDiagnostics.
type diagnosticRate struct {
	Every json.Number `json:"every"` // in seconds
	Names []string    `json:"names"`
	dayRates
}

// changingDiagnostics are the diagnostic values that change each time they are published. Other diagnostic values do not count, because a hub
// does not store an unchanged state again.
var changingDiagnostics = []string{discovery.LastTelegram, discovery.Telegrams}

const day = 24 * time.Hour

// addRates adds other to d.
func (d *dayRates) addRates(other dayRates) {
	d.States += other.States
	d.EveryTelegram += other.EveryTelegram
}

// add adds the rates of a meter to the report. c must be the same for all meters. A hub gets its states from the MQTT output, so the plan of this output counts.
func (r *report) add(c config.Config, p sendProfile) {
	plan := c.MQTTPlan()
	if r.estimator == nil {
		r.estimator = estimate.New(plan)
	}
	rates := meterRates{Meter: p.id, Interval: inSeconds(p.interval)}
	for i, states := range r.estimator.Day(p.quantities, p.interval) {
		rate := quantityRate{states.ID.String(), inSeconds(p.quantities[i].Interval), dayRates{states.Throttled, states.EveryTelegram}}
		rates.Quantities = append(rates.Quantities, rate)
		rates.addRates(rate.dayRates)
	}
	// Diagnostic values are not published with every telegram, not even with the preset realtime, which publishes them once a minute. Therefore
	// EveryTelegram counts them once a minute.
	every, n := plan.DiagnosticsInterval(), len(changingDiagnostics)
	rates.Diagnostics = diagnosticRate{inSeconds(every), changingDiagnostics, dayRates{n * int(day/every), n * int(day/time.Minute)}}
	rates.addRates(rates.Diagnostics.dayRates)
	r.Meters = append(r.Meters, rates)
	r.addRates(rates.dayRates)
}

// inSeconds returns a duration in seconds, with as many decimals as it needs.
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
	fmt.Fprintf(&b, "\npublish: %s causes about %s states a day, %s of EVERY TELEGRAM\n", r.Publish, groupDigits(r.States), r.share())
	_, err := io.WriteString(out, b.String())
	return err
}

// print appends the table of a meter to b.
func (m *meterRates) print(b *strings.Builder, publish string) {
	fmt.Fprintf(b, "%s, a telegram every %s s\n\n", m.Meter, m.Interval)
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", "QUANTITY", "SENT EVERY", "STATES A DAY", "EVERY TELEGRAM")
	for _, q := range m.Quantities {
		rateLine(b, q.Quantity, string(q.Every)+" s", q.States, q.EveryTelegram)
	}
	rateLine(b, strings.Join(m.Diagnostics.Names, ", "), string(m.Diagnostics.Every)+" s", m.Diagnostics.States, m.Diagnostics.EveryTelegram)
	rateLine(b, "total", "", m.States, m.EveryTelegram)
}

// rateLine appends a line of a table to b.
func rateLine(b *strings.Builder, name, every string, states, everyTelegram int) {
	fmt.Fprintf(b, "%-30s%10s%14s%16s\n", name, every, groupDigits(states), groupDigits(everyTelegram))
}

// share returns States in percent of EveryTelegram, with one decimal.
func (d dayRates) share() string {
	tenths := (d.States*1000 + d.EveryTelegram/2) / max(d.EveryTelegram, 1)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// groupDigits returns a number with a space between groups of three digits.
func groupDigits(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
