package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An Announcement is what messages say of one meter, in either style.
type Announcement struct {
	Meter Meter
	// Unknown are keys of components that this program does not announce, in order.
	Unknown []string
}

// Announced reads back what was announced with c.Prefix: Meter(a.Meter) gives the messages again, as far as this program and
// c would make them. A unit that the quantity does not have counts as its first one. The meters come in the order of their
// IDs, without the bridge's own device; their quantities in the table's.
func (c Config) Announced(messages []Message) []Announcement {
	meters := map[string]*announcement{}
	for _, m := range messages {
		p, ok := placeOf(m.Topic)
		if !ok || p.prefix != c.Prefix || p.device == program+"_"+bridge || keysOf(p, m.Payload) == nil {
			continue
		}
		if meters[p.device] == nil {
			meters[p.device] = &announcement{quantities: map[quantity.ID]Quantity{}, unknown: map[string]bool{}}
		}
		meters[p.device].read(p, m.Payload)
	}
	var all []Announcement
	for _, device := range slices.Sorted(maps.Keys(meters)) {
		if a := meters[device].made(strings.TrimPrefix(device, program+"_")); a.Meter.Name != "" {
			all = append(all, a)
		}
	}
	return all
}

type announcement struct {
	device     deviceInfo
	quantities map[quantity.ID]Quantity
	unknown    map[string]bool
}

// An announced component is what tells of its quantity.
type announced struct {
	UniqueID  string `json:"unique_id"`
	Unit      string `json:"unit_of_measurement"`
	Precision int    `json:"suggested_display_precision"`
	Expire    int    `json:"expire_after"`
}

func (a *announcement) read(p place, payload []byte) {
	var root struct {
		announced
		Device     deviceInfo
		Components map[string]announced
	}
	if json.Unmarshal(payload, &root) != nil || root.Device.Name == "" {
		return // a move to the other style that was interrupted, or nothing of ours
	}
	a.device = root.Device
	if p.key != "" {
		root.Components = map[string]announced{p.key: root.announced}
	}
	for key, component := range root.Components {
		if component.UniqueID != "" { // without one it is taken back
			a.component(key, component)
		}
	}
}

func (a *announcement) component(key string, is announced) {
	id, ok := quantity.Named(key)
	if !ok {
		if !knowsItself(key) {
			a.unknown[key] = true
		}
		return
	}
	q := Quantity{ID: id, Decimals: is.Precision, Every: everyOf(is.Expire)}
	q.As = uint8(max(0, slices.IndexFunc(id.Row().Measures, func(m quantity.Measure) bool { return m.Unit == is.Unit })))
	a.quantities[id] = q
}

// knowsItself tells if a key is one of those that every meter has, and that follow from no quantity.
func knowsItself(key string) bool {
	return key == Connection || slices.ContainsFunc(diagnostics, func(d diagnostic) bool { return d.name == key })
}

func (a *announcement) made(id string) Announcement {
	d := a.device
	name, simulated := strings.CutSuffix(d.Name, simulatedMark)
	m := Meter{ID: id, Name: name, Make: d.Make, Model: d.Model, Serial: d.Serial, Software: d.Software, Simulated: simulated}
	for _, id := range slices.Sorted(maps.Keys(a.quantities)) {
		m.Quantities = append(m.Quantities, a.quantities[id])
	}
	return Announcement{m, slices.Sorted(maps.Keys(a.unknown))}
}
