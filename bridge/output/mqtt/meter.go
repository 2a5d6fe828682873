package mqtt

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// meter is what a session knows of one meter: its topics, made once, and what has been announced.
type meter struct {
	bridge.Meter
	prefix      string // "hanbridge/house/"
	statusTopic string
	topics      [256]string // by quantity.ID

	about     bridge.About
	known     []bridge.Value
	due       bool // something is to be announced
	announced time.Time
}

// announceGap is the least time between two announcements of one device: Home Assistant passes over components of a payload
// that comes while it still sets up those of the one before.
const announceGap = time.Second

func (s *session) meter(m bridge.Meter) *meter {
	if known, ok := s.meters[m.ID]; ok {
		return known
	}
	prefix := s.config.BaseTopic + "/" + m.ID + "/"
	made := &meter{Meter: m, prefix: prefix, statusTopic: prefix + "status"}
	for id := range quantity.Count() {
		made.topics[id] = prefix + quantity.ID(id).String()
	}
	s.meters[m.ID] = made
	return made
}

// news publishes what is new of one meter. The state comes last: a hub that shows the meter again shows fresh values.
func (s *session) news(n *bridge.News) error {
	m := s.meter(n.Meter)
	if n.AboutNew && n.About.Protocol != "" { // it has spoken: what an earlier run said stands until then
		m.about, m.due = n.About, true
		if err := s.info(m); err != nil {
			return err
		}
	}
	if n.KnownNew {
		m.known, m.due = append(m.known[:0], n.Known...), true
	}
	if err := s.announceDue(); err != nil {
		return err
	}
	for _, e := range n.Events {
		if err := s.event(m, e); err != nil {
			return err
		}
	}
	for i := range n.Values {
		v := &n.Values[i]
		s.buf = v.Append(s.buf[:0])
		if err := s.publish(m.topics[v.ID], s.buf, s.config.Retain); err != nil {
			return err
		}
	}
	if n.StatsNew {
		if err := s.stats(m, &n.Stats); err != nil {
			return err
		}
	}
	if !n.OnlineNew {
		return nil
	}
	status := offline
	if n.Online {
		status = online
	}
	return s.publish(m.statusTopic, []byte(status), true)
}

// announceDue announces every meter that has changed and was not announced just now; the others later.
func (s *session) announceDue() error {
	now := time.Now()
	for _, m := range s.meters {
		if !m.due || len(m.known) == 0 {
			continue // a meter that has sent nothing has nothing to announce
		}
		if wait := announceGap - now.Sub(m.announced); wait > 0 {
			s.later.Reset(wait)
			continue
		}
		if err := s.announce(m); err != nil {
			return err
		}
		m.due, m.announced = false, now
	}
	return nil
}

func (s *session) announce(m *meter) error {
	d := discovery.Meter{
		ID: m.ID, Name: m.Name, Make: m.about.Make, Model: m.about.Model, Serial: m.about.Serial, Software: m.about.List,
		Simulated: m.Simulated,
	}
	for _, v := range m.known {
		d.Quantities = append(d.Quantities, discovery.Quantity{ID: v.ID, As: v.As, Decimals: int(v.Decimals)})
	}
	for _, message := range s.config.Discovery().Meter(d) {
		if err := s.publish(message.Topic, message.Payload, true); err != nil {
			return err
		}
	}
	level := s.first
	if !m.announced.IsZero() {
		level = zerolog.InfoLevel // it has more to announce
	}
	if s.config.Style != discovery.Off {
		s.log.WithLevel(level).Str("meter", m.ID).Int("entities", d.Entities()).Msg("announced to home assistant")
	}
	return nil
}

// info publishes what is known of the meter itself.
func (s *session) info(m *meter) error {
	text, err := json.Marshal(struct {
		Make     string `json:"make"`
		Model    string `json:"model"`
		Serial   string `json:"serial"`
		List     string `json:"list"`
		Protocol string `json:"protocol"`
		Port     string `json:"port"`
		Settings string `json:"settings"`
	}{m.about.Make, m.about.Model, m.about.Serial, m.about.List, m.about.Protocol, m.about.Port, m.about.Line})
	if err != nil {
		return err
	}
	return s.publish(m.prefix+"info", text, true)
}

// event publishes what happened to a meter. It is never retained: a hub that starts would take it for something that happens.
func (s *session) event(m *meter, e bridge.Event) error {
	text, err := json.Marshal(struct {
		Time  string `json:"time"`
		Event string `json:"event"`
		From  string `json:"from"`
		To    string `json:"to"`
	}{e.Time.Format(time.RFC3339), e.Name, e.From, e.To})
	if err != nil {
		return err
	}
	return s.publish(m.prefix+"event", text, false)
}

// stats publishes what the bridge counts.
func (s *session) stats(m *meter, st *bridge.Stats) error {
	s.buf = strconv.AppendUint(s.buf[:0], st.Telegrams, 10)
	if err := s.publish(m.prefix+discovery.Telegrams, s.buf, true); err != nil {
		return err
	}
	s.buf = strconv.AppendUint(s.buf[:0], st.Errors, 10)
	if err := s.publish(m.prefix+discovery.TelegramErrors, s.buf, true); err != nil || st.Telegrams == 0 {
		return err
	}
	tenths := int64(st.Interval.Round(100*time.Millisecond) / (100 * time.Millisecond))
	s.buf = strconv.AppendInt(s.buf[:0], tenths/10, 10)
	s.buf = append(s.buf, '.', byte('0'+tenths%10))
	if err := s.publish(m.prefix+discovery.TelegramInterval, s.buf, true); err != nil {
		return err
	}
	s.buf = st.Last.AppendFormat(s.buf[:0], time.RFC3339)
	return s.publish(m.prefix+discovery.LastTelegram, s.buf, true)
}
