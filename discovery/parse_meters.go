package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// announcedEntity has the options of an announced entity that ParseMeters needs.
type announcedEntity struct {
	UniqueID  string `json:"unique_id"`
	Unit      string `json:"unit_of_measurement"`
	Precision int    `json:"suggested_display_precision"`
	Expire    int    `json:"expire_after"`
}

// ParseMeters returns the meters that messages below c.Prefix announce in any style. It reads messages that the method Config.Meter of this or
// another version has returned. It ignores the device of the bridge, the messages of other programs, and unknown quantities. For an unknown unit
// it returns the first unit of the quantity. The meters are in the order of their IDs, the quantities of a meter in the order of the quantity
// table.
func (c Config) ParseMeters(messages []Message) (meters []Meter) {
	byDevice := map[string]Meter{}
	for _, m := range messages {
		p, ok := parseTopic(m.Topic)
		var root struct {
			announcedEntity
			Device     deviceInfo
			Components map[string]announcedEntity
		}
		if !ok || p.prefix != c.Prefix || p.device == program+"_"+bridgeID || platformsByKey(p, m.Payload) == nil {
			continue // not a message about a meter of this program
		}
		if json.Unmarshal(m.Payload, &root) != nil || root.Device.Name == "" {
			continue // for example the payload migration, which has no device
		}
		if p.key != "" {
			root.Components = map[string]announcedEntity{p.key: root.announcedEntity}
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

// quantitiesOf returns the quantities of the announced components, in no order.
func quantitiesOf(components map[string]announcedEntity) (all []Quantity) {
	for key, e := range components {
		id, ok := quantity.ByName(key)
		if !ok || e.UniqueID == "" { // without a unique_id, a component tells the hub to remove the component
			continue
		}
		unitIndex := slices.IndexFunc(id.Row().Units, func(u quantity.Unit) bool { return u.Symbol == e.Unit })
		all = append(all, Quantity{ID: id, UnitIndex: uint8(max(0, unitIndex)), Decimals: e.Precision, Interval: intervalOf(e.Expire)})
	}
	return all
}
