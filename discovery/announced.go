package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// announced is what tells of a quantity in the announcement of its entity.
type announced struct {
	UniqueID  string `json:"unique_id"`
	Unit      string `json:"unit_of_measurement"`
	Precision int    `json:"suggested_display_precision"`
	Expire    int    `json:"expire_after"`
}

// ParseMeters reads back what was announced with c.Prefix, in either style: Meter gives the messages again, as far as this program and
// c would make them. A unit that the quantity does not have counts as its first one, and a quantity that this program does not know is left
// out. The meters come in the order of their IDs, without the bridge's own device; their quantities in the table's.
func (c Config) ParseMeters(messages []Message) (meters []Meter) {
	byDevice := map[string]Meter{}
	for _, m := range messages {
		p, ok := placeOf(m.Topic)
		var root struct {
			announced
			Device     deviceInfo
			Components map[string]announced
		}
		if !ok || p.prefix != c.Prefix || p.device == program+"_"+bridge || keysOf(p, m.Payload) == nil ||
			json.Unmarshal(m.Payload, &root) != nil || root.Device.Name == "" {
			continue // a move to the other style that was interrupted, or nothing of ours
		}
		if p.key != "" {
			root.Components = map[string]announced{p.key: root.announced}
		}
		d := root.Device
		name, simulated := strings.CutSuffix(d.Name, simulatedMark)
		byDevice[p.device] = Meter{
			ID: strings.TrimPrefix(p.device, program+"_"), Name: name, Make: d.Make, Model: d.Model, Serial: d.Serial, Software: d.Software,
			Simulated: simulated, Quantities: append(byDevice[p.device].Quantities, quantitiesOf(root.Components)...),
		}
	}
	for _, device := range slices.Sorted(maps.Keys(byDevice)) {
		m := byDevice[device]
		slices.SortStableFunc(m.Quantities, func(a, b Quantity) int { return int(a.ID) - int(b.ID) })
		m.Quantities = slices.CompactFunc(m.Quantities, func(a, b Quantity) bool { return a.ID == b.ID })
		meters = append(meters, m)
	}
	return meters
}

func quantitiesOf(components map[string]announced) (all []Quantity) {
	for key, is := range components {
		id, ok := quantity.ByName(key)
		if !ok || is.UniqueID == "" { // without one it is taken back
			continue
		}
		as := slices.IndexFunc(id.Row().Units, func(m quantity.Unit) bool { return m.Symbol == is.Unit })
		all = append(all, Quantity{ID: id, UnitIndex: uint8(max(0, as)), Decimals: is.Precision, Interval: everyOf(is.Expire)})
	}
	return all
}
