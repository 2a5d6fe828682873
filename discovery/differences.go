package discovery

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Difference is one place at which what is announced differs from what is wanted.
type Difference struct {
	// Topic is the discovery topic.
	Topic string
	// Path is the place in the JSON payload: "components.gas.device_class". "" is the whole message.
	Path string
	// Announced and Wanted are the values in JSON, "" if there is none.
	Announced, Wanted string
}

// String describes the difference in one line, for people. Long values are left out.
func (d Difference) String() string {
	announced, wanted := shortened(d.Announced), shortened(d.Wanted)
	text := "is " + announced + ", wanted " + wanted
	switch {
	case d.Path == "" && d.Announced == "":
		text = "is not announced"
	case d.Path == "" && d.Wanted == "":
		text = "is announced, and not wanted"
	case d.Announced == "":
		text = strings.TrimSuffix("is missing, wanted "+wanted, ", wanted "+ellipsis)
	case d.Wanted == "":
		text = strings.TrimSuffix("is not wanted, is "+announced, ", is "+ellipsis)
	}
	return d.Topic + ": " + strings.TrimPrefix(d.Path+" "+text, " ")
}

// ellipsis replaces a value that is too long for one line.
const ellipsis = "…"

func shortened(value string) string {
	if strings.HasPrefix(value, "{") || len(value) > 100 {
		return ellipsis
	}
	return value
}

// Differences compares messages by topic and their payloads as JSON, so that order and spaces do not matter. The result is in the order of
// topics and paths, and empty if both are the same. A message with an empty payload counts as missing.
func Differences(announced, wanted []Message) []Difference {
	is, want := byTopic(announced), byTopic(wanted)
	both := maps.Clone(is)
	maps.Copy(both, want)
	var all []Difference
	for _, topic := range slices.Sorted(maps.Keys(both)) {
		h, w := decodeValue(is[topic]), decodeValue(want[topic])
		compare("", h, w, func(path string, h, w any) {
			all = append(all, Difference{topic, path, encodeValue(h), encodeValue(w)})
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

// decodeValue returns the JSON value of a payload, nil if the payload is empty. A payload that is not JSON counts as a text.
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

// compare calls differ for each path at which two values differ. It descends as long as both are objects.
func compare(path string, announced, wanted any, differ func(path string, announced, wanted any)) {
	h, isObject := announced.(map[string]any)
	w, wantObject := wanted.(map[string]any)
	if !isObject || !wantObject {
		if !reflect.DeepEqual(announced, wanted) {
			differ(path, announced, wanted)
		}
		return
	}
	both := maps.Clone(h)
	maps.Copy(both, w)
	for _, key := range slices.Sorted(maps.Keys(both)) {
		compare(strings.TrimPrefix(path+"."+key, "."), member(h, key), member(w, key), differ)
	}
}

// member returns the value of a key, nil only if the key is missing. Hubs treat null differently from a missing key.
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
