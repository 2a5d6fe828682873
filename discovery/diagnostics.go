package discovery

import "github.com/hanbridge/hanbridge/pkg/quantity"

// What the bridge itself knows about a meter. Each but Connection has a topic of its own under the meter's, named like
// it; Connection reads the meter's status topic.
const (
	// Connection is "online" while the meter speaks, else "offline".
	Connection = "connection"
	// LastTelegram is when the last verified telegram came: RFC 3339, with a zone.
	LastTelegram = "last_telegram"
	// Telegrams and TelegramErrors count verified and damaged telegrams since the bridge started.
	Telegrams      = "telegrams"
	TelegramErrors = "telegram_errors"
	// TelegramInterval is the time between telegrams in seconds, with TelegramIntervalDecimals decimals.
	TelegramInterval = "telegram_interval"
	// Rejected counts the values of counters that were held back since the bridge started, RejectedReason says which was the
	// last and why.
	Rejected       = "rejected"
	RejectedReason = "rejected_reason"
)

// TelegramIntervalDecimals is with how many decimals TelegramInterval is published.
const TelegramIntervalDecimals = 1

const diagnosticCategory = "diagnostic"

type diagnostic struct {
	name, title, class, unit, state string
	decimals                        int
	quiet                           bool
}

var diagnostics = []diagnostic{
	{name: LastTelegram, title: "Last telegram", class: "timestamp", quiet: true},
	{name: Telegrams, title: "Telegrams", state: quantity.TotalIncreasing},
	{name: TelegramErrors, title: "Telegram errors", state: quantity.TotalIncreasing},
	{name: TelegramInterval, title: "Telegram interval", class: "duration", unit: "s", state: quantity.Measurement,
		decimals: TelegramIntervalDecimals, quiet: true},
	{name: Rejected, title: "Rejected values", state: quantity.TotalIncreasing},
	{name: RejectedReason, title: "Last rejected value"},
}

// diagnostic is available whenever the bridge is: what it says is of most use while the meter is silent.
func (c Config) diagnostic(meter string, d *diagnostic) entity {
	e := c.sensor(meter, d.name, d.title)
	e.Category, e.Class, e.Unit, e.State = diagnosticCategory, d.class, d.unit, d.state
	if d.state != "" {
		e.Precision = &d.decimals
	}
	if d.quiet {
		e.Enabled = new(bool)
	}
	e.availability = available(c.BaseTopic + "/status")
	return e
}

// connection shows a status topic as an entity. It reads the topic that others take their availability from.
func (c Config) connection(device, name, topic string) entity {
	return entity{
		key: Connection, Platform: binarySensor, Name: "Connection", QoS: 1,
		UniqueID: device + "_" + Connection,
		EntityID: binarySensor + "." + slug(name+"_"+Connection),
		Topic:    topic,
		Class:    "connectivity", On: "online", Off: "offline",
		Category: diagnosticCategory,
	}
}
