package discovery

import (
	"cmp"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

const (
	program = "hanbridge"
	home    = "https://github.com/hanbridge/hanbridge"
	bridge  = "bridge"

	// simulatedMark ends the name of a simulated meter's device.
	simulatedMark = " (simulated)"
)

// A Meter is what is announced of a meter. Nothing in it may change from telegram to telegram: every change makes the
// hub set all entities up again.
type Meter struct {
	// ID is the configured one: [a-z0-9_-]+, and not "bridge", which names the bridge's own device.
	ID string
	// Name is what people read; "" for "Electricity meter".
	Name string
	// Make, Model, Serial and Software are what the meter says about itself. "" where it does not.
	Make, Model, Serial, Software string
	// Simulated marks the device's name, so that nobody takes it for a real meter.
	Simulated bool
	// Quantities are those that the meter sends, in any order.
	Quantities []Quantity
}

// A Quantity is one row as this meter sends it.
type Quantity struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units, as in quantity.Sample.
	UnitIndex uint8
	// Decimals is with how many it is published, always the same for one meter.
	Decimals int
	// Interval is how often the meter sends it, rounded up to 1 min, 15 min, 1 h or 24 h; 0 for 1 min.
	Interval time.Duration
}

// EntityCount is how many entities the meter has in the hub.
func (m Meter) EntityCount() int { return len(m.Quantities) + 1 + len(diagnostics) }

// Bridge returns the messages of the bridge's own device. Publish them before those of meters: a hub that hears of a
// meter first makes an empty device for the bridge.
func (c Config) Bridge() []Message {
	connection := c.connection(program+"_"+bridge, program, c.BaseTopic+"/status")
	d := deviceInfo{Identifiers: []string{program + "_" + bridge}, Name: program, Software: c.Version}
	return c.announce(d, availability{}, []entity{connection})
}

// Meter returns the messages of one meter: one in Device style, one per entity in Component style.
func (c Config) Meter(m Meter) []Message {
	entities := make([]entity, 0, m.EntityCount())
	for _, q := range m.Quantities {
		entities = append(entities, c.quantity(m.ID, q))
	}
	connection := c.connection(program+"_"+m.ID, m.ID, c.BaseTopic+"/"+m.ID+"/status")
	connection.availability = available(c.BaseTopic + "/status")
	entities = append(entities, connection)
	for i := range diagnostics {
		entities = append(entities, c.diagnostic(m.ID, &diagnostics[i]))
	}
	return c.announce(m.device(), available(c.BaseTopic+"/status", c.BaseTopic+"/"+m.ID+"/status"), entities)
}

func (m Meter) device() deviceInfo {
	name := cmp.Or(m.Name, "Electricity meter")
	if m.Simulated {
		name += simulatedMark
	}
	return deviceInfo{
		Identifiers: []string{program + "_" + m.ID}, Name: name,
		Make: m.Make, Model: m.Model, Serial: m.Serial, Software: m.Software,
		Via: program + "_" + bridge,
	}
}

func (c Config) quantity(meter string, q Quantity) entity {
	row := q.ID.Row()
	e := c.sensor(meter, row.Name, row.Title)
	if row.Diagnostic {
		e.Category = diagnosticCategory
	}
	if row.DisabledByDefault {
		e.Enabled = new(bool)
	}
	if row.Numeric() {
		unit := row.Units[q.UnitIndex]
		e.Class, e.Unit, e.State = unit.DeviceClass, unit.Symbol, row.StateClass
		e.Precision = &q.Decimals
	}
	e.Expire = expireAfter(row, q.Interval)
	return e
}

func (c Config) sensor(meter, key, title string) entity {
	return entity{
		key: key, Platform: sensor, Name: title, QoS: 1,
		UniqueID: program + "_" + meter + "_" + key,
		EntityID: sensor + "." + slug(meter+"_"+key),
		Topic:    c.BaseTopic + "/" + meter + "/" + key,
	}
}

// slug makes an id fit for an entity id, which has no hyphen, no double underscore and none at its ends.
func slug(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' })
	return strings.Join(words, "_")
}
