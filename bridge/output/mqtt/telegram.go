package mqtt

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/hanbridge/hanbridge/bridge"
)

// received is RFC 3339 with milliseconds.
const received = "2006-01-02T15:04:05.000Z07:00"

// telegram publishes all values of one telegram in one object. It is never retained: it is an event.
func (s *session) telegram(t *bridge.Telegram) {
	m := s.meter(s.feed.Meter(t.Meter))
	if m.about.Protocol == "" { // it came before the meter's description, and it is not decided who publishes it
		t.Values = slices.Clone(t.Values)
		s.early = append(s.early, *t)
		return
	}
	s.buf = appendTelegram(s.buf[:0], m.ID, t, s.marks.run, m.first)
	s.publish(m.prefix+"telegram", s.buf, false)
}

// appendTelegram writes the numbers digit by digit from their exact values, and who published them: see claim.
func appendTelegram(b []byte, meter string, t *bridge.Telegram, mark string, counters bool) []byte {
	b = append(append(b, `{"meter":"`...), meter...)
	b = strconv.AppendUint(append(b, `","seq":`...), t.Seq, 10)
	b = t.Received.AppendFormat(append(b, `,"received":"`...), received)
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
		b = append(b, `,"counters":"`+withheld+`"`...)
	}
	return append(b, '}')
}

func appendJSON(b []byte, v *bridge.Value) []byte {
	if v.ID.Row().Numeric() {
		return v.Append(b)
	}
	text, err := json.Marshal(v.Text)
	if err != nil { // no string makes it fail
		return append(b, "null"...)
	}
	return append(b, text...)
}
