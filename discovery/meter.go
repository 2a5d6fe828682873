package discovery

import (
	"cmp"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

const (
	program  = "hanbridge"
	homepage = "https://github.com/hanbridge/hanbridge"
	bridgeID = "bridge"

	// simulatedMark is the end of the device name of a simulated meter.
	simulatedMark = " (simulated)"
)

// A Meter describes a meter for its announcement. It should change rarely, because a hub sets up all entities of the meter again after each
// change.
type Meter struct {
	// ID identifies the meter in topics and unique ids. It matches [a-z0-9_-]+. It must not be "bridge", the ID of the device of the bridge.
	ID string
	// Name is the device name that people see. "" means "Electricity meter".
	Name string
	// Make (the manufacturer), Model, Serial and Software are what the meter sends about itself. "" means that the meter does not send it.
	Make, Model, Serial, Software string
	// Simulated adds "(simulated)" to the device name, so that nobody takes the meter for a real one.
	Simulated bool
	// Quantities are the quantities that the meter sends, in any order.
	Quantities []Quantity
}

// A Quantity is a quantity as a meter sends it.
type Quantity struct {
	// ID is the number of the row in the quantity table.
	ID quantity.ID
	// UnitIndex is the index of the published unit in the row's Units, as in quantity.Sample.
	UnitIndex uint8
	// Decimals is the number of published decimals. It must be the same for every telegram.
	Decimals int
	// Interval is the time between two values that the meter sends. The announcement rounds the interval up to 1 min, 15 min, 1 h or 24 h,
	// and treats a longer interval as 24 h.
	Interval time.Duration
}

// EntityCount returns how many entities the meter has in a hub: its quantities, the connection and the diagnostics.
func (m Meter) EntityCount() int { return len(m.Quantities) + 1 + len(diagnostics) }

// Bridge returns the messages of the device of the bridge. Publish them before the messages of meters, because a meter's message refers to the
// device of the bridge.
func (c Config) Bridge() []Message {
	connection := c.connection(program+"_"+bridgeID, program, c.BaseTopic+"/status")
	d := deviceInfo{Identifiers: []string{program + "_" + bridgeID}, Name: program, Software: c.Version}
	return c.announce(d, availability{}, []entity{connection})
}

// Meter returns the messages of one meter. In Device style it is one message, in Component style one message for each entity. In style Off
// there are no messages.
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
		Via: program + "_" + bridgeID,
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
		e.Class, e.Unit, e.StateClass = unit.DeviceClass, unit.Symbol, row.StateClass
		e.Precision = &q.Decimals
	}
	e.Expire = expireAfter(row, q.Interval)
	return e
}

func (c Config) sensor(meter, key, title string) entity {
	return entity{
		key: key, Platform: sensorPlatform, Name: title, QoS: 1,
		UniqueID: program + "_" + meter + "_" + key,
		EntityID: sensorPlatform + "." + slug(meter+"_"+key),
		Topic:    c.BaseTopic + "/" + meter + "/" + key,
	}
}

// slug turns an id into a part of an entity id. Such a part has no hyphen, no double underscore, and no underscore at its ends.
func slug(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' })
	return strings.Join(words, "_")
}
