package mqtt

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// meter is what a session knows of one meter.
type meter struct {
	bridge.Meter
	prefix string // of its topics: "hanbridge/house/"
	about  bridge.Description
	known  []bridge.Descriptor
	announcer

	online   bool
	claim    *claim
	first    bool                         // its counters are published: see claim
	second   bool                         // they are not, since another bridge publishes them or did
	stale    bool                         // the hub was told that they are not
	held     map[quantity.ID]bridge.Value // its newest counters, where they are not published
	asked    int                          // how much was known when they were last compared
	told     bool                         // the log has told of another bridge
	rival    string                       // who else publishes it, as its description says
	defended time.Time                    // when that was last published out of turn
}

func (s *session) meter(m bridge.Meter) *meter {
	if known, ok := s.meters[m.ID]; ok {
		return known
	}
	made := &meter{Meter: m, prefix: s.config.BaseTopic + "/" + m.ID + "/", claim: s.claim(m.ID), held: map[quantity.ID]bridge.Value{}}
	made.announcer = announcer{id: m.ID, wanted: func(style discovery.Style) wanted { return s.wanted(made, style) }}
	s.meters[m.ID] = made
	return made
}

// news publishes what is new of one meter. The state comes last: a hub that shows the meter again shows fresh values.
func (s *session) news(n *bridge.MeterUpdate) {
	m := s.meter(n.Meter)
	if n.DescriptionNew && n.Description.Protocol != "" { // it has spoken: what an earlier run said stands until then
		m.about, m.due = n.Description, true
		if m.first {
			s.info(m)
		}
	}
	if n.DescriptorsNew {
		m.known, m.due = n.Descriptors, true
		s.forgetSeen(m)
	}
	s.announce(&s.own) // first, as announceDue does
	s.announce(&m.announcer)
	for _, e := range n.Events {
		if m.first || e.Quantity == "" { // not of a counter
			s.event(m, e)
		}
	}
	for i := range n.Values {
		v := &n.Values[i]
		if !m.first && counter(v.ID) {
			continue
		}
		s.buf = v.Append(s.buf[:0])
		s.publish(m.prefix+v.ID.String(), shortened(s.buf), s.config.Retain)
	}
	if n.StatsNew && m.sharesStats() {
		s.stats(m, &n.Stats)
	}
	if m.online = n.Online; n.OnlineNew && !m.yields() {
		s.state(m)
	}
}

// state publishes whether a meter speaks.
func (s *session) state(m *meter) {
	status := offline
	if m.online {
		status = online
	}
	s.publish(m.prefix+"status", []byte(status), true)
}

// longestState is how many characters of a state Home Assistant takes: a longer one becomes unknown.
const longestState = 255

// shortened cuts a text to what hubs take; the telegram's own topic has all of it.
func shortened(text []byte) []byte {
	if utf8.RuneCount(text) <= longestState {
		return text
	}
	return []byte(string([]rune(string(text))[:longestState]))
}

// wanted is what hubs should know of a meter. One that has sent nothing has nothing to announce.
func (s *session) wanted(m *meter, style discovery.Style) wanted {
	if len(m.known) == 0 {
		return wanted{unknown: true}
	}
	before := s.found[m.ID]
	d := discovery.Meter{
		ID: m.ID, Name: m.Name, Make: cmp.Or(m.about.Make, before.Make), Model: cmp.Or(m.about.Model, before.Model),
		Serial: cmp.Or(m.about.Serial, before.Serial), Software: cmp.Or(m.about.List, before.Software), Simulated: m.Simulated,
	}
	for _, k := range m.known {
		d.Quantities = append(d.Quantities, discovery.Quantity{ID: k.ID, UnitIndex: k.UnitIndex, Decimals: int(k.Decimals), Interval: k.Every})
	}
	d.Quantities = append(d.Quantities, before.Quantities...)
	topics := slices.Clone(ownTopics)
	for _, q := range d.Quantities {
		if s.config.Retain { // else a value that is still retained is an old one
			topics = append(topics, q.ID.String())
		}
	}
	return wanted{messages: s.config.discovery(style).Meter(d), topics: topics, entities: d.EntityCount()}
}

// ownTopics are the retained topics of every meter, besides its quantities.
var ownTopics = []string{
	"status", "info", discovery.Telegrams, discovery.TelegramErrors, discovery.TelegramInterval, discovery.LastTelegram,
	discovery.Rejected, discovery.RejectedReason,
}

// info publishes what is known of the meter itself, and which bridge publishes it since when.
func (s *session) info(m *meter) {
	s.publishJSON(m.prefix+"info", true, struct {
		Make     string `json:"make"`
		Model    string `json:"model"`
		Serial   string `json:"serial"`
		List     string `json:"list"`
		Protocol string `json:"protocol"`
		Port     string `json:"port"`
		Settings string `json:"settings"`
		Instance string `json:"instance"`
		Client   string `json:"client"`
		Since    string `json:"since"`
		Other    string `json:"other_instance,omitempty"`
	}{m.about.Make, m.about.Model, m.about.Serial, m.about.List, m.about.Protocol, m.about.Port, m.about.Line,
		s.marks.run, s.marks.client, m.claim.began.Format(received), m.rival})
}

// event publishes what happened to a meter. It is never retained: a hub that starts would take it for something that happens.
func (s *session) event(m *meter, e bridge.Event) {
	s.publishJSON(m.prefix+"event", false, struct {
		Time     string `json:"time"`
		Event    string `json:"event"`
		Quantity string `json:"quantity,omitempty"`
		From     string `json:"from"`
		To       string `json:"to"`
	}{e.Time.Format(time.RFC3339), e.Name, e.Quantity, e.From, e.To})
}

func (s *session) publishJSON(topic string, retain bool, v any) {
	if text, err := json.Marshal(v); err == nil { // no text makes it fail
		s.publish(topic, text, retain)
	}
}

// stats publishes what the bridge counts. What it does not know yet stands as an earlier run left it.
func (s *session) stats(m *meter, st *bridge.Stats) {
	type state struct{ name, text string }
	states := []state{
		{discovery.Telegrams, strconv.FormatUint(st.Telegrams, 10)},
		{discovery.TelegramErrors, strconv.FormatUint(st.Errors, 10)},
		{discovery.Rejected, strconv.FormatUint(st.Rejected, 10)},
		{discovery.RejectedReason, cmp.Or(st.RejectedReason, "none since the start")},
	}
	if st.Telegrams > 0 {
		states = append(states,
			state{discovery.TelegramInterval, strconv.FormatFloat(st.Interval.Seconds(), 'f', discovery.TelegramIntervalDecimals, 64)},
			state{discovery.LastTelegram, st.LastTelegram.Format(time.RFC3339)})
	}
	for _, one := range states {
		s.publish(m.prefix+one.name, shortened([]byte(one.text)), true)
	}
}
