package discovery

import "github.com/hanbridge/hanbridge/pkg/quantity"

// Names of the diagnostic entities of a meter. The state topic of an entity is <base>/<meter>/<name>. Only for Connection it is
// <base>/<meter>/status.
const (
	// Connection is "online" while telegrams arrive, and "offline" otherwise.
	Connection = "connection"
	// LastTelegram is the time of the last verified telegram, in RFC 3339 with a zone.
	LastTelegram = "last_telegram"
	// Telegrams counts the verified telegrams since the bridge started.
	Telegrams = "telegrams"
	// TelegramErrors counts the damaged telegrams since the bridge started.
	TelegramErrors = "telegram_errors"
	// TelegramInterval is the time between telegrams in seconds, with TelegramIntervalDecimals decimals.
	TelegramInterval = "telegram_interval"
	// Rejected counts the implausible counter values that were not published since the bridge started.
	Rejected = "rejected"
	// RejectedReason says which value was rejected last, and why.
	RejectedReason = "rejected_reason"
)

// TelegramIntervalDecimals is the number of decimals of TelegramInterval.
const TelegramIntervalDecimals = 1

const diagnosticCategory = "diagnostic"

// A diagnostic describes a diagnostic sensor. If disabled is true, hubs hide the sensor until the user enables it.
type diagnostic struct {
	name, title, class, unit, stateClass string
	decimals                             int
	disabled                             bool
}

var diagnostics = []diagnostic{
	{name: LastTelegram, title: "Last telegram", class: "timestamp", disabled: true},
	{name: Telegrams, title: "Telegrams", stateClass: quantity.TotalIncreasing},
	{name: TelegramErrors, title: "Telegram errors", stateClass: quantity.TotalIncreasing},
	{name: TelegramInterval, title: "Telegram interval", class: "duration", unit: "s", stateClass: quantity.Measurement,
		decimals: TelegramIntervalDecimals, disabled: true},
	{name: Rejected, title: "Rejected values", stateClass: quantity.TotalIncreasing},
	{name: RejectedReason, title: "Last rejected value"},
}

// diagnostic returns a diagnostic entity. The entity remains available while the meter is offline, because users need it most then.
func (c Config) diagnostic(meter string, d *diagnostic) entity {
	e := c.sensor(meter, d.name, d.title)
	e.Category, e.Class, e.Unit, e.StateClass = diagnosticCategory, d.class, d.unit, d.stateClass
	if d.stateClass != "" {
		e.Precision = &d.decimals
	}
	if d.disabled {
		e.Enabled = new(bool)
	}
	e.availability = available(c.BaseTopic + "/status")
	return e
}

// connection returns the entity that shows whether a device is online, according to its status topic. device is the identifier of the device,
// with which the unique id begins. name is the beginning of the entity id.
func (c Config) connection(device, name, topic string) entity {
	return entity{
		key: Connection, Platform: binarySensorPlatform, Name: "Connection", QoS: 1,
		UniqueID: device + "_" + Connection,
		EntityID: binarySensorPlatform + "." + slug(name+"_"+Connection),
		Topic:    topic,
		Class:    "connectivity", PayloadOn: "online", PayloadOff: "offline",
		Category: diagnosticCategory,
	}
}
