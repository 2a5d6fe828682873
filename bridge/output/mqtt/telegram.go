package mqtt

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/hanbridge/hanbridge/bridge"
)

// receivedLayout is the layout of RFC 3339 with milliseconds.
const receivedLayout = "2006-01-02T15:04:05.000Z07:00"

// publishTelegram publishes all values of a telegram in one JSON object. It is never retained, since it is an event. A telegram that comes
// before its meter's description is kept in earlyTelegrams.
func (s *session) publishTelegram(t *bridge.Telegram) {
	m := s.meter(s.feed.Meter(t.Meter))
	if m.description.Protocol == "" { // it is not decided yet which bridge publishes the meter
		t.Values = slices.Clone(t.Values)
		s.earlyTelegrams = append(s.earlyTelegrams, *t)
		return
	}
	s.buf = appendTelegram(s.buf[:0], m.ID, t, s.marks.run, m.isFirst)
	s.publish(m.prefix+"telegram", s.buf, false)
}

// appendTelegram appends the payload of a telegram. Numbers are written exactly, and mark says which bridge publishes them (see ownership). It
// leaves counters out unless counters is true.
func appendTelegram(b []byte, meter string, t *bridge.Telegram, mark string, counters bool) []byte {
	b = append(append(b, `{"meter":"`...), meter...)
	b = strconv.AppendUint(append(b, `","seq":`...), t.Seq, 10)
	b = t.Received.AppendFormat(append(b, `,"received":"`...), receivedLayout)
	if !t.MeterTime.IsZero() {
		b = t.MeterTime.Append(append(b, `","meter_time":"`...))
	}
	b = append(b, `","values":{`...)
	none := len(b)
	for i := range t.Values {
		v := &t.Values[i]
		if !counters && counter(v.ID) {
			continue
		}
		if len(b) > none {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), v.ID.String()...), `":`...)
		b = appendJSON(b, v)
	}
	b = append(append(append(b, `},"instance":"`...), mark...), '"')
	if !counters {
		b = append(b, `,"counters":"`+withheldText+`"`...)
	}
	return append(b, '}')
}

// appendJSON appends a value as a JSON number or string.
func appendJSON(b []byte, v *bridge.Value) []byte {
	if v.ID.Row().Numeric() {
		return v.Append(b)
	}
	text, err := json.Marshal(v.Text)
	if err != nil { // it cannot fail for a string
		return append(b, "null"...)
	}
	return append(b, text...)
}
