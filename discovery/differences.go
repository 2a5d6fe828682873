package discovery

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Difference is a place at which the announced messages differ from the wanted messages.
type Difference struct {
	// Topic is the discovery topic.
	Topic string
	// Path is the place in the JSON payload, such as "components.gas.device_class". "" is the whole payload.
	Path string
	// Announced and Wanted are the values at this place, as JSON. A missing value is "".
	Announced, Wanted string
}

// String describes the difference in one line, for people. It does not print long values.
func (d Difference) String() string {
	announced, wanted := shortened(d.Announced), shortened(d.Wanted)
	text := "is " + announced + ", wanted " + wanted
	switch {
	case d.Path == "" && d.Announced == "":
		text = "is not announced"
	case d.Path == "" && d.Wanted == "":
		text = "is announced, and not wanted"
	case d.Announced == "": // a value that is not printed is left out, with the word before it
		text = strings.TrimSuffix("is missing, wanted "+wanted, ", wanted "+ellipsis)
	case d.Wanted == "":
		text = strings.TrimSuffix("is not wanted, is "+announced, ", is "+ellipsis)
	}
	return d.Topic + ": " + strings.TrimPrefix(d.Path+" "+text, " ")
}

// ellipsis takes the place of a value that is too long for one line.
const ellipsis = "…"

func shortened(value string) string {
	if strings.HasPrefix(value, "{") || len(value) > 100 {
		return ellipsis
	}
	return value
}

// Differences compares the messages of each topic. It compares payloads as JSON, so neither the order of keys nor white space
// matters. The result is in the order of topics and paths. A message with an empty payload is treated as missing.
func Differences(announced, wanted []Message) []Difference {
	announcedPayloads, wantedPayloads := byTopic(announced), byTopic(wanted)
	either := maps.Clone(announcedPayloads)
	maps.Copy(either, wantedPayloads)
	var all []Difference
	for _, topic := range slices.Sorted(maps.Keys(either)) {
		compare("", decodeValue(announcedPayloads[topic]), decodeValue(wantedPayloads[topic]), func(path string, announced, wanted any) {
			all = append(all, Difference{topic, path, encodeValue(announced), encodeValue(wanted)})
		})
	}
	return all
}

func byTopic(messages []Message) map[string][]byte {
	all := map[string][]byte{}
	for _, m := range messages {
		if len(m.Payload) > 0 {
			all[m.Topic] = m.Payload
		}
	}
	return all
}

// decodeValue returns the JSON value of a payload; nil if the payload is empty. It returns a payload that is null or not
// JSON as a string.
func decodeValue(payload []byte) any {
	if len(payload) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if d.Decode(&v) != nil || v == nil {
		return string(payload)
	}
	return v
}

// compare calls report for each path at which two values differ. If both are objects, it compares their members.
func compare(path string, announced, wanted any, report func(path string, announced, wanted any)) {
	announcedObject, announcedIsObject := announced.(map[string]any)
	wantedObject, wantedIsObject := wanted.(map[string]any)
	if !announcedIsObject || !wantedIsObject {
		if !reflect.DeepEqual(announced, wanted) {
			report(path, announced, wanted)
		}
		return
	}
	either := maps.Clone(announcedObject)
	maps.Copy(either, wantedObject)
	for _, key := range slices.Sorted(maps.Keys(either)) {
		compare(strings.TrimPrefix(path+"."+key, "."), member(announcedObject, key), member(wantedObject, key), report)
	}
}

// member returns the value of a key; nil if the key is missing. For null it returns a value that is not nil, because hubs treat null
// differently from a missing key.
func member(o map[string]any, key string) any {
	v, ok := o[key]
	if ok && v == nil {
		return json.RawMessage("null")
	}
	return v
}

func encodeValue(v any) string {
	if v == nil {
		return ""
	}
	return string(encode(v))
}
