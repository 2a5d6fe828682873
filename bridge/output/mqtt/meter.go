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

// A meter is the state of one meter in a session.
type meter struct {
	bridge.Meter
	prefix      string // of its topics: "hanbridge/house/"
	description bridge.Description
	descriptors []bridge.Descriptor
	announcer

	online          bool
	ownership       *ownership
	isFirst         bool                         // this bridge publishes its counters: see ownership
	isSecond        bool                         // this bridge does not, since another bridge publishes or has published them
	reasonPublished bool                         // the reason was published for the hub
	keptCounters    map[quantity.ID]bridge.Value // the newest counters, while they are not published
	comparedFacts   int                          // the number of facts in the last comparison
	otherLogged     bool                         // another bridge was logged
	infoRival       string                       // the mark of another bridge in the published description
	infoRepublished time.Time                    // when the description was last published because of another bridge
}

// meter returns the state of a meter, which it makes on first use.
func (s *session) meter(m bridge.Meter) *meter {
	if existing, ok := s.meters[m.ID]; ok {
		return existing
	}
	made := &meter{Meter: m, prefix: s.config.BaseTopic + "/" + m.ID + "/", ownership: s.ownership(m.ID), keptCounters: map[quantity.ID]bridge.Value{}}
	made.announcer = announcer{meterID: m.ID, wanted: func(style discovery.Style) wantedDevice { return s.wanted(made, style) }}
	s.meters[m.ID] = made
	return made
}

// publishUpdate publishes an update of one meter. The status comes last, so that a hub that shows the meter again has its newest values.
func (s *session) publishUpdate(u *bridge.MeterUpdate) {
	m := s.meter(u.Meter)
	if u.DescriptionNew && u.Description.Protocol != "" { // before the first telegram the description of an earlier run remains
		m.description, m.pending = u.Description, true
		if m.isFirst {
			s.publishInfo(m)
		}
	}
	if u.DescriptorsNew {
		m.descriptors, m.pending = u.Descriptors, true
		s.forgetSeen(m)
	}
	s.announce(&s.bridgeDevice) // first, as announceDue does
	s.announce(&m.announcer)
	for _, e := range u.Events {
		if m.isFirst || e.Quantity == "" { // events about counters belong to the first bridge
			s.publishEvent(m, e)
		}
	}
	for i := range u.Values {
		v := &u.Values[i]
		if !m.isFirst && counter(v.ID) {
			continue
		}
		s.buf = v.Append(s.buf[:0])
		s.publish(m.prefix+v.ID.String(), shortened(s.buf), s.config.Retain)
	}
	if u.StatsNew && m.publishesStats() {
		s.publishStats(m, &u.Stats)
	}
	if m.online = u.Online; u.OnlineNew && !m.otherPublishesStatus() {
		s.publishStatus(m)
	}
}

// publishStatus publishes whether a meter is online.
func (s *session) publishStatus(m *meter) {
	status := offline
	if m.online {
		status = online
	}
	s.publish(m.prefix+"status", []byte(status), true)
}

// maxState is the longest state that Home Assistant accepts, in characters. It shows a longer one as unknown.
const maxState = 255

// shortened cuts a text to maxState. The telegram topic has the whole text.
func shortened(text []byte) []byte {
	if utf8.RuneCount(text) <= maxState {
		return text
	}
	return []byte(string([]rune(string(text))[:maxState]))
}

// wanted returns what the broker should retain of a meter. It is undecided as long as the meter has sent nothing.
func (s *session) wanted(m *meter, style discovery.Style) wantedDevice {
	if len(m.descriptors) == 0 {
		return wantedDevice{undecided: true}
	}
	before := s.foundQuantities[m.ID]
	d := discovery.Meter{
		ID: m.ID, Name: m.Name, Make: cmp.Or(m.description.Make, before.Make), Model: cmp.Or(m.description.Model, before.Model),
		Serial: cmp.Or(m.description.Serial, before.Serial), Software: cmp.Or(m.description.List, before.Software), Simulated: m.Simulated,
	}
	for _, k := range m.descriptors {
		d.Quantities = append(d.Quantities, discovery.Quantity{ID: k.ID, UnitIndex: k.UnitIndex, Decimals: int(k.Decimals), Interval: k.Every})
	}
	d.Quantities = append(d.Quantities, before.Quantities...)
	topics := slices.Clone(ownTopics)
	for _, q := range d.Quantities {
		if s.config.Retain { // values that are still retained otherwise come from a run with another setting
			topics = append(topics, q.ID.String())
		}
	}
	return wantedDevice{messages: s.config.discovery(style).Meter(d), topics: topics, entities: d.EntityCount()}
}

// ownTopics are the retained topics that every meter has besides those of its quantities.
var ownTopics = []string{
	"status", "info", discovery.Telegrams, discovery.TelegramErrors, discovery.TelegramInterval, discovery.LastTelegram,
	discovery.Rejected, discovery.RejectedReason,
}

// publishInfo publishes the description of a meter, with the mark of this bridge and since when it publishes the meter.
func (s *session) publishInfo(m *meter) {
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
	}{m.description.Make, m.description.Model, m.description.Serial, m.description.List, m.description.Protocol, m.description.Port, m.description.Line,
		s.marks.run, s.marks.client, m.ownership.since.Format(receivedLayout), m.infoRival})
}

// publishEvent publishes an event of a meter. It is never retained, since a hub that starts would take it for a new event.
func (s *session) publishEvent(m *meter, e bridge.Event) {
	s.publishJSON(m.prefix+"event", false, struct {
		Time     string `json:"time"`
		Event    string `json:"event"`
		Quantity string `json:"quantity,omitempty"`
		From     string `json:"from"`
		To       string `json:"to"`
	}{e.Time.Format(time.RFC3339), e.Name, e.Quantity, e.From, e.To})
}

// publishJSON publishes v as JSON.
func (s *session) publishJSON(topic string, retain bool, v any) {
	if text, err := json.Marshal(v); err == nil { // it cannot fail: v has only texts
		s.publish(topic, text, retain)
	}
}

// publishStats publishes the statistics of a meter. Before the first telegram the interval and the last telegram of an earlier run remain.
func (s *session) publishStats(m *meter, st *bridge.Stats) {
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
