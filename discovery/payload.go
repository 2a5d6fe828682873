package discovery

import "encoding/json"

// The following types are the parts of a payload. Every optional field has omitempty, because Home Assistant refuses a whole payload with a
// null. It also refuses a payload with an unknown key at the root, in device or in origin. Keys are not abbreviated, because some hubs do not
// know all abbreviations.

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

// availability has a list of topics, even for one topic. Home Assistant also accepts a single topic in another option, but then a component
// cannot override a list at the root of the payload.
type availability struct {
	Topics []topicRef `json:"availability,omitempty"`
	Mode   string     `json:"availability_mode,omitempty"`
}

// available returns the availability of an entity that is available while all topics have the value "online".
func available(topics ...string) availability {
	var a availability
	for _, t := range topics {
		a.Topics = append(a.Topics, topicRef{t})
	}
	if len(topics) > 1 {
		a.Mode = "all" // without a mode, the topic with the latest message decides
	}
	return a
}

// An entity is one component of a payload in Device style. In Component style, a payload consists of an entity, its device and the origin.
type entity struct {
	key        string // of the component
	Platform   string `json:"platform,omitempty"`
	Name       string `json:"name"`
	UniqueID   string `json:"unique_id"`
	EntityID   string `json:"default_entity_id"`
	Topic      string `json:"state_topic"`
	Class      string `json:"device_class,omitempty"`
	StateClass string `json:"state_class,omitempty"`
	Unit       string `json:"unit_of_measurement,omitempty"`
	Precision  *int   `json:"suggested_display_precision,omitempty"`
	Expire     int    `json:"expire_after,omitempty"`
	PayloadOn  string `json:"payload_on,omitempty"`
	PayloadOff string `json:"payload_off,omitempty"`
	Category   string `json:"entity_category,omitempty"`
	Enabled    *bool  `json:"enabled_by_default,omitempty"`
	// QoS is set for each entity, because Home Assistant 2024.12 does not apply the qos of the root.
	QoS int `json:"qos"`
	availability
}

// A devicePayload is a payload in Device style.
type devicePayload struct {
	Device deviceInfo `json:"device"`
	Origin originInfo `json:"origin"`
	availability
	Components map[string]entity `json:"components"`
}

// A componentPayload is a payload in Component style.
type componentPayload struct {
	entity
	Device deviceInfo `json:"device"`
	Origin originInfo `json:"origin"`
}

// reactiveEnergy is a device class that Home Assistant does not know before 2025. A hub that needs Component style is possibly older, and would
// refuse an entity of this class. So in Component style the entity has no class. A hub accepts an entity without a class in any unit.
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
			e.Platform = "" // the platform is in the topic
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

// encode returns payload as JSON. The payload must be of a type that can always be encoded; otherwise encode panics.
func encode(payload any) []byte {
	text, err := json.Marshal(payload)
	if err != nil {
		panic("discovery: " + err.Error())
	}
	return text
}
