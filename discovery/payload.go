package discovery

import "encoding/json"

// The structures of a payload. Home Assistant refuses a whole payload for one unknown key at its root, in device or in
// origin, and for one null: every field that may be missing has omitempty. Keys are written in full: the abbreviations
// save little, and some hubs know only a part of them.

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

// availability is always a list: a component that overrides its root must do so in the same form.
type availability struct {
	Topics []topicRef `json:"availability,omitempty"`
	Mode   string     `json:"availability_mode,omitempty"`
}

func available(topics ...string) availability {
	var a availability
	for _, t := range topics {
		a.Topics = append(a.Topics, topicRef{t})
	}
	if len(topics) > 1 {
		a.Mode = "all" // the default, the latest message of any, lets one topic hide the other
	}
	return a
}

// An entity is one component of a device payload, or most of a payload of its own.
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
	// QoS is said per entity: Home Assistant 2024.12 does not hand down the one of the root.
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

// reactiveEnergy is the one device class that Home Assistant learned after it had learned Device style, in 2025. A hub that
// needs Component style may not know it, and would refuse the entity at each announcement. Without a class it takes any unit.
const reactiveEnergy = "reactive_energy"

// announce makes the messages of one device in the configured style. Entities that say nothing about their availability
// have that of the device.
func (c Config) announce(d deviceInfo, of availability, entities []entity) []Message {
	from := originInfo{Name: program, Software: c.Version, Support: home}
	id := d.Identifiers[0]
	switch c.Style {
	case Device:
		all := make(map[string]entity, len(entities))
		for _, e := range entities {
			all[e.key] = e
		}
		payload := devicePayload{Device: d, Origin: from, availability: of, Components: all}
		return []Message{{place{prefix: c.Prefix, device: id}.topic(), encode(payload)}}
	case Component:
		messages := make([]Message, 0, len(entities))
		for _, e := range entities {
			topic := place{c.Prefix, e.Platform, id, e.key}.topic()
			e.Platform = "" // the topic says it
			if e.Class == reactiveEnergy {
				e.Class = ""
			}
			if e.Topics == nil {
				e.availability = of
			}
			messages = append(messages, Message{topic, encode(componentPayload{e, d, from})})
		}
		return messages
	default:
		return nil
	}
}

// encode panics where encoding/json fails: these structures hold nothing that it could fail for.
func encode(payload any) []byte {
	text, err := json.Marshal(payload)
	if err != nil {
		panic("discovery: " + err.Error())
	}
	return text
}
