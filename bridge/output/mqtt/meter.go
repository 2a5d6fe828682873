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
	prefix      string // the first part of the meter's topics, such as "hanbridge/house/"
	description bridge.Description
	descriptors []bridge.Descriptor // the quantities that the meter sends
	announcer

	online           bool // the newest update says that the meter is online
	ownership        *ownership
	isFirst          bool                         // this session publishes the counters; reviewMeter clears it after ownership.isFirst has become false
	isSecond         bool                         // this session does not publish the counters, because another bridge publishes or has published them
	reasonPublished  bool                         // the reason for withholding the counters was published
	withheldCounters map[quantity.ID]bridge.Value // the newest counters, while this bridge does not publish them
	comparedValues   int                          // the number of values in the last comparison (see decideCounters)
	otherLogged      bool                         // a message about another bridge was logged
	infoRival        string                       // ownership.rivalMark at the last publication of the description
	infoRepublished  time.Time                    // when the description was last published because of another bridge
}

// announceMeter announces a meter if an update changes the announcement.
func (s *session) announceMeter(u *bridge.MeterUpdate) {
	m := s.meters[u.Meter.ID]
	if m == nil || u.Removed {
		return
	}
	if u.DescriptionNew && u.Description.Protocol != "" { // before the first telegram, the description of an earlier run remains on the broker
		m.description, m.pending = u.Description, true
		if m.isFirst {
			s.publishInfo(m)
		}
	}
	if u.DescriptorsNew {
		m.descriptors, m.pending = u.Descriptors, true
		s.dropConfirmed(m)
	}
	s.announce(&s.bridgeDevice) // before the meter: see announceDue
	s.announce(&m.announcer)
}

// publishUpdate publishes the values and the state of one meter. The status is published last, so that a hub that shows the meter as available
// already has its newest values.
func (s *session) publishUpdate(u *bridge.MeterUpdate) {
	m := s.meters[u.Meter.ID]
	if m == nil || u.Removed {
		return
	}
	// The time of the last telegram comes before the counters. Otherwise a bridge that is killed between them would not recognise its own counters.
	if u.StatsNew && m.publishesStats() {
		s.publishStats(m, &u.Stats)
	}
	s.publishValues(m, u.Values)
	m.online = u.Online
	if u.OnlineNew && !m.otherPublishesStatus() {
		s.publishStatus(m)
	}
}

// publishValues publishes values of a meter. Only the first bridge of a meter publishes counters.
func (s *session) publishValues(m *meter, values []bridge.Value) {
	for i := range values {
		v := &values[i]
		if !m.isFirst && isCounter(v.ID) {
			continue
		}
		s.buf = v.Append(s.buf[:0])
		s.publish(m.prefix+v.ID.String(), truncated(s.buf), s.config.Retain)
	}
}

// publishStatus publishes "online" or "offline" for a meter.
func (s *session) publishStatus(m *meter) {
	status := offline
	if m.online {
		status = online
	}
	s.publish(m.prefix+"status", []byte(status), true)
}

// maxStateLength is the longest state that Home Assistant accepts, in characters. Home Assistant shows a longer state as unknown.
const maxStateLength = 255

// truncated cuts a text to maxStateLength. The telegram topic has the whole text.
func truncated(text []byte) []byte {
	if utf8.RuneCount(text) <= maxStateLength {
		return text
	}
	return []byte(string([]rune(string(text))[:maxStateLength]))
}

// wanted returns what the broker should retain of a meter. The result is undecided until the meter has sent a telegram.
func (s *session) wanted(m *meter, style discovery.Style) wantedDevice {
	if len(m.descriptors) == 0 {
		return wantedDevice{undecided: true}
	}
	found := s.foundMeters[m.ID]
	d := discovery.Meter{
		ID: m.ID, Name: m.Name, Make: cmp.Or(m.description.Make, found.Make), Model: cmp.Or(m.description.Model, found.Model),
		Serial: cmp.Or(m.description.Serial, found.Serial), Software: cmp.Or(m.description.List, found.Software), Simulated: m.Simulated,
	}
	for _, q := range m.descriptors {
		d.Quantities = append(d.Quantities, discovery.Quantity{ID: q.ID, UnitIndex: q.UnitIndex, Decimals: int(q.Decimals), Interval: q.Every})
	}
	d.Quantities = append(d.Quantities, found.Quantities...)
	topics := slices.Clone(commonTopics)
	for _, q := range d.Quantities {
		if s.config.Retain { // if not, retained values of an earlier run must be removed
			topics = append(topics, q.ID.String())
		}
	}
	return wantedDevice{messages: s.config.discovery(style).Meter(d), topics: topics, entities: d.EntityCount()}
}

// commonTopics are the retained topics that every meter has, in addition to the topics of its quantities.
var commonTopics = []string{
	"status", "info", discovery.Telegrams, discovery.TelegramErrors, discovery.TelegramInterval, discovery.LastTelegram,
	discovery.Rejected, discovery.RejectedReason,
}

// publishInfo publishes the description of a meter. The description also says which bridge publishes the meter, and since when.
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
		s.marks.run, s.marks.client, m.ownership.since.Format(millisecondLayout), m.infoRival})
}

// publishEvent publishes an event of a meter. The message is never retained, because a hub that starts would take an old event for a new event.
func (s *session) publishEvent(e *bridge.Event) {
	m := s.meters[e.Meter]
	if m == nil || !m.isFirst && e.Quantity != "" { // only the first bridge publishes events about a quantity
		return
	}
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
	if text, err := json.Marshal(v); err == nil { // Marshal cannot fail, because every v has only strings
		s.publish(topic, text, retain)
	}
}

// publishStats publishes the statistics of a meter. Before the first telegram, there is no interval and no time of the last telegram to
// publish. The values of an earlier run then remain on the broker.
func (s *session) publishStats(m *meter, st *bridge.Stats) {
	type statistic struct{ name, text string }
	statistics := []statistic{
		{discovery.Telegrams, strconv.FormatUint(st.Telegrams, 10)},
		{discovery.TelegramErrors, strconv.FormatUint(st.Errors, 10)},
		{discovery.Rejected, strconv.FormatUint(st.Rejected, 10)},
		{discovery.RejectedReason, cmp.Or(st.RejectedReason, "none since the start")},
	}
	if st.Telegrams > 0 {
		statistics = append(statistics,
			statistic{discovery.TelegramInterval, strconv.FormatFloat(st.Interval.Seconds(), 'f', discovery.TelegramIntervalDecimals, 64)},
			statistic{discovery.LastTelegram, st.LastTelegram.Format(time.RFC3339)})
	}
	for _, v := range statistics {
		s.publish(m.prefix+v.name, truncated([]byte(v.text)), true)
	}
}
