// Package rates estimates how many states a day a configuration causes in a hub, for each quantity and in all.
package rates

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/hanbridge/hanbridge/bridge/estimate"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/discovery"
)

// Report are what `rates --json` prints.
type Report struct {
	Publish string `json:"publish"`
	// Note says where the numbers are not those of the meter.
	Note   string       `json:"note,omitempty"`
	Meters []meterRates `json:"meters"`
	dayRates
}

// dayRates are states a day: as configured, and if each telegram were published.
type dayRates struct {
	States        int `json:"states"`
	EveryTelegram int `json:"every_telegram"`
}

type meterRates struct {
	Meter string `json:"meter"`
	// Interval is that of its telegrams, in seconds.
	Interval    json.Number    `json:"interval"`
	Quantities  []quantityRate `json:"quantities"`
	Diagnostics diagnosticRate `json:"diagnostics"`
	dayRates
}

type quantityRate struct {
	Quantity string `json:"quantity"`
	// Every is how often the meter sends it, in seconds.
	Every json.Number `json:"every"`
	dayRates
}

// A diagnosticRate is that of what the bridge itself knows: of these the ones that change every time.
type diagnosticRate struct {
	Every json.Number `json:"every"`
	Names []string    `json:"names"`
	dayRates
}

// changing are the diagnostics that change each time they are published; an equal state is not stored again.
var changing = []string{discovery.LastTelegram, discovery.Telegrams}

const day = 24 * time.Hour

func (d *dayRates) sum(more dayRates) {
	d.States += more.States
	d.EveryTelegram += more.EveryTelegram
}

// Add adds a meter.
func (r *Report) Add(c config.Config, m paced) {
	one := meterRates{Meter: m.id, Interval: inSeconds(m.interval)}
	for i, load := range estimate.Day(c.Plan(), m.quantities, m.interval) {
		rate := quantityRate{load.ID.String(), inSeconds(m.quantities[i].Every), dayRates{load.States, load.EveryTelegram}}
		one.Quantities = append(one.Quantities, rate)
		one.sum(rate.dayRates)
	}
	every := c.Plan().Diagnostics()
	one.Diagnostics = diagnosticRate{inSeconds(every), changing, dayRates{len(changing) * int(day/every), len(changing) * int(day/time.Minute)}}
	one.sum(one.Diagnostics.dayRates)
	r.Meters = append(r.Meters, one)
	r.sum(one.dayRates)
}

func inSeconds(d time.Duration) json.Number {
	return json.Number(strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
}
