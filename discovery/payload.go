package discovery

import "encoding/json"

// The structures of a payload. Home Assistant refuses a whole payload because of one unknown key at its root, in device or in origin, and
// because of one null. So every optional field has omitempty. Keys are written in full, because some hubs know only a part of the
// abbreviations.

type deviceInfo struct {
	Identifiers []string `json:"identifiers"`
	Name        string   `json:"name"`
	Make        string   `json:"manufacturer,omitempty"`
	Model       string   `json:"model,omitempty"`
	Serial      string   `json:"serial_number,omitempty"`
	Software    string   `json:"sw_version,omitempty"`
	Via         string   `json:"via_device,omitempty"`
}

type originInfo struct {
	Name     string `json:"name"`
	Software string `json:"sw_version,omitempty"`
	Support  string `json:"support_url"`
}

type topicRef struct {
	Topic string `json:"topic"`
}

// availability is always a list, because a component must override the availability of its root in the same form.
type availability struct {
	Topics []topicRef `json:"availability,omitempty"`
	Mode   string     `json:"availability_mode,omitempty"`
}

// available returns the availability that needs "online" on all topics.
func available(topics ...string) availability {
	var a availability
	for _, t := range topics {
		a.Topics = append(a.Topics, topicRef{t})
	}
	if len(topics) > 1 {
		a.Mode = "all" // by default the latest message of any topic counts
	}
	return a
}

// An entity is one component of a device's payload, or most of the payload of a topic of its own.
type entity struct {
	key       string
	Platform  string `json:"platform,omitempty"`
	Name      string `json:"name"`
	UniqueID  string `json:"unique_id"`
	EntityID  string `json:"default_entity_id"`
	Topic     string `json:"state_topic"`
	Class     string `json:"device_class,omitempty"`
	State     string `json:"state_class,omitempty"`
	Unit      string `json:"unit_of_measurement,omitempty"`
	Precision *int   `json:"suggested_display_precision,omitempty"`
	Expire    int    `json:"expire_after,omitempty"`
	On        string `json:"payload_on,omitempty"`
	Off       string `json:"payload_off,omitempty"`
	Category  string `json:"entity_category,omitempty"`
	Enabled   *bool  `json:"enabled_by_default,omitempty"`
	// QoS is set for each entity, because Home Assistant 2024.12 does not apply the qos of the root.
	QoS int `json:"qos"`
	availability
}

type devicePayload struct {
	Device deviceInfo `json:"device"`
	Origin originInfo `json:"origin"`
	availability
	Components map[string]entity `json:"components"`
}

type componentPayload struct {
	entity
	Device deviceInfo `json:"device"`
	Origin originInfo `json:"origin"`
}

// reactiveEnergy is a device class that Home Assistant has known since 2025 only. Device style is older. A hub that needs Component style
// possibly refuses an entity of this class. So it gets the entity without a class, which it accepts with any unit.
const reactiveEnergy = "reactive_energy"

// announce returns the messages of one device in the configured style. An entity without an availability gets deviceAvailability.
func (c Config) announce(d deviceInfo, deviceAvailability availability, entities []entity) []Message {
	origin := originInfo{Name: program, Software: c.Version, Support: homepage}
	id := d.Identifiers[0]
	switch c.Style {
	case Device:
		all := make(map[string]entity, len(entities))
		for _, e := range entities {
			all[e.key] = e
		}
		payload := devicePayload{Device: d, Origin: origin, availability: deviceAvailability, Components: all}
		return []Message{{topicParts{prefix: c.Prefix, device: id}.topic(), encode(payload)}}
	case Component:
		messages := make([]Message, 0, len(entities))
		for _, e := range entities {
			topic := topicParts{c.Prefix, e.Platform, id, e.key}.topic()
			e.Platform = "" // the topic has it
			if e.Class == reactiveEnergy {
				e.Class = ""
			}
			if e.Topics == nil {
				e.availability = deviceAvailability
			}
			messages = append(messages, Message{topic, encode(componentPayload{e, d, origin})})
		}
		return messages
	default:
		return nil
	}
}

// encode returns payload as JSON. It panics if that fails, which cannot happen for the structures of this package.
func encode(payload any) []byte {
	text, err := json.Marshal(payload)
	if err != nil {
		panic("discovery: " + err.Error())
	}
	return text
}
