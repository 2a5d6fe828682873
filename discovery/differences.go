package discovery

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Difference is one way in which what is held is not what is wanted.
type Difference struct {
	Topic string
	// Path leads to the place in the payload, with points: "components.gas.device_class". "" is the whole message.
	Path string
	// Held and Wanted are the values in JSON, "" where there is none.
	Announced, Wanted string
}

// String says it in one line.
func (d Difference) String() string {
	held, wanted := shown(d.Announced), shown(d.Wanted)
	text := "is " + held + ", wanted " + wanted
	switch {
	case d.Path == "" && d.Announced == "":
		text = "is not announced"
	case d.Path == "" && d.Wanted == "":
		text = "is announced, and not wanted"
	case d.Announced == "":
		text = strings.TrimSuffix("is missing, wanted "+wanted, ", wanted "+long)
	case d.Wanted == "":
		text = strings.TrimSuffix("is not wanted, is "+held, ", is "+long)
	}
	return d.Topic + ": " + strings.TrimPrefix(d.Path+" "+text, " ")
}

// long stands for what is too long for a line.
const long = "…"

func shown(value string) string {
	if strings.HasPrefix(value, "{") || len(value) > 100 {
		return long
	}
	return value
}

// Differences compares messages by topic, and their payloads as JSON: order and spaces do not count. They come in the order of
// topics and paths; none where both say the same. An empty payload announces nothing.
func Differences(held, wanted []Message) []Difference {
	is, want := byTopic(held), byTopic(wanted)
	both := maps.Clone(is)
	maps.Copy(both, want)
	var all []Difference
	for _, topic := range slices.Sorted(maps.Keys(both)) {
		h, w := value(is[topic]), value(want[topic])
		compare("", h, w, func(path string, h, w any) {
			all = append(all, Difference{topic, path, written(h), written(w)})
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

// value is what a payload says, nil where there is none. What is no JSON counts as a text.
func value(payload []byte) any {
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

// compare calls differ for each path at which two values differ: as deep as both are objects.
func compare(path string, held, wanted any, differ func(path string, held, wanted any)) {
	h, isObject := held.(map[string]any)
	w, wantObject := wanted.(map[string]any)
	if !isObject || !wantObject {
		if !reflect.DeepEqual(held, wanted) {
			differ(path, held, wanted)
		}
		return
	}
	both := maps.Clone(h)
	maps.Copy(both, w)
	for _, key := range slices.Sorted(maps.Keys(both)) {
		compare(strings.TrimPrefix(path+"."+key, "."), member(h, key), member(w, key), differ)
	}
}

// member tells a null from a key that is missing: hubs do.
func member(o map[string]any, key string) any {
	v, ok := o[key]
	if ok && v == nil {
		return json.RawMessage("null")
	}
	return v
}

func written(v any) string {
	if v == nil {
		return ""
	}
	return string(encode(v))
}
