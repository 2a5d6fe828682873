package mqtt

import (
	"encoding/json"
	"strconv"

	"github.com/hanbridge/hanbridge/bridge"
)

// received is RFC 3339 with milliseconds.
const received = "2006-01-02T15:04:05.000Z07:00"

// telegram publishes all values of one telegram in one object. It is never retained: it is an event.
func (s *session) telegram(t *bridge.Telegram) error {
	m := s.meter(s.feed.Meter(t.Meter))
	s.buf = appendTelegram(s.buf[:0], m.ID, t)
	return s.publish(m.prefix+"telegram", s.buf, false)
}

// appendTelegram writes the numbers digit by digit from their exact values.
func appendTelegram(b []byte, meter string, t *bridge.Telegram) []byte {
	b = append(append(b, `{"meter":"`...), meter...)
	b = strconv.AppendUint(append(b, `","seq":`...), t.Seq, 10)
	b = t.Received.AppendFormat(append(b, `,"received":"`...), received)
	if !t.MeterTime.IsZero() {
		b = t.MeterTime.Append(append(b, `","meter_time":"`...))
	}
	b = append(b, `","values":{`...)
	for i := range t.Values {
		v := &t.Values[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), v.ID.String()...), `":`...)
		b = appendJSON(b, v)
	}
	return append(b, "}}"...)
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
