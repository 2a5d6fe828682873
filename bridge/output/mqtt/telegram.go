package mqtt

import (
	"encoding/json"
	"strconv"

	"github.com/hanbridge/hanbridge/bridge"
)

// millisecondLayout is the layout of RFC 3339 with milliseconds.
const millisecondLayout = "2006-01-02T15:04:05.000Z07:00"

// publishTelegram publishes all values of a telegram in one JSON object. The message is never retained, because a hub that starts would take an
// old telegram for a new telegram.
func (s *session) publishTelegram(t *bridge.Telegram) {
	m := s.meters[t.Meter]
	if m == nil {
		return // it was removed
	}
	s.buf = appendTelegram(s.buf[:0], m.ID, t, s.marks.run, m.isFirst)
	s.publish(m.prefix+"telegram", s.buf, false)
}

// publishAgain publishes a telegram that was published on an earlier connection, and possibly has not arrived. The same holds for the values of a
// recording, which must all be published. Of other meters only the newest values are published again.
func (s *session) publishAgain(t *bridge.Telegram) {
	if m := s.meters[t.Meter]; m != nil && t.Recorded {
		s.publishValues(m, t.Values)
	}
	s.publishTelegram(t)
}

// appendTelegram appends the payload of a telegram. meter is the id of the meter. mark is the instance mark of this bridge (see ownership). The
// payload has the counters only if withCounters is true.
func appendTelegram(b []byte, meter string, t *bridge.Telegram, mark string, withCounters bool) []byte {
	b = append(append(b, `{"meter":"`...), meter...)
	b = strconv.AppendUint(append(b, `","seq":`...), t.Seq, 10)
	b = t.Received.AppendFormat(append(b, `,"received":"`...), millisecondLayout)
	if !t.MeterTime.IsZero() {
		b = t.MeterTime.Append(append(b, `","meter_time":"`...))
	}
	b = append(b, `","values":{`...)
	start := len(b)
	for i := range t.Values {
		v := &t.Values[i]
		if !withCounters && isCounter(v.ID) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), v.ID.String()...), `":`...)
		b = appendJSON(b, v)
	}
	b = append(append(append(b, `},"instance":"`...), mark...), '"')
	if !withCounters {
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
	if err != nil { // Marshal cannot fail for a string
		return append(b, "null"...)
	}
	return append(b, text...)
}
