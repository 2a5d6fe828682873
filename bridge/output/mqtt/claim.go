package mqtt

import (
	"encoding/json"
	"time"
)

// A claim records which bridge publishes one meter: this one, another one with the same mqtt.base_topic and meters.id, or both. If two
// bridges publish it, only the first may publish counters: a hub would record the step from one meter's counter to the other's as
// consumption.
//
// The first bridge is the one whose instance mark is in the retained description of the meter, <base>/<meter>/info. If no description is
// retained, a bridge becomes first when its own meter sends a telegram before it has received one of another bridge. A second bridge
// becomes first when it has received nothing of another bridge for a while and either the counters show that the meter is the same, or a
// person has removed the description (hanbridge takeover).
type claim struct {
	mark      string    // of this run
	first     bool      // the counters are published here
	began     time.Time // since when; taken over from an earlier run if the broker has retained its description
	connected time.Time // when this connection began to listen

	holder   string        // the mark in the description that the broker has; "" where it is ours or there is none
	unmarked bool          // that description was written by a version without marks
	alive    bool          // a bridge with this base topic was online when this one connected, or has published since
	heard    time.Time     // the last telegram of another that publishes counters
	gap      time.Duration // between the last two
	freed    bool          // a person has removed the other bridge's description
	evidence evidence      // of whether the meter is the other's
	unknown  bool          // this bridge has no state: the other may be its own earlier run

	described bool // the retained description has been received
	claiming  bool // this bridge has published its description and waits for an older one
	echoed    bool // that description has come back from the broker
	reply     bool // the description must be published again, so that the other bridge sees who is first

	rival   string    // who publishes the meter too while this bridge is the first
	rivalAt time.Time // when it was last heard

	lastLogged map[string]time.Time // what the log has said of it, and when
}

// An evidence is what the other's retained values tell of its meter.
type evidence uint8

const (
	notAsked evidence = iota
	sameMeter
	anotherMeter
	nothingKnown // neither can be shown
)

// A decision is what to do with the counters of a meter that has spoken.
type decision uint8

const (
	publish  decision = iota
	wait              // until it is known if the other still speaks
	ask               // for evidence
	withhold          // until a person acts
)

// noMark is what a bridge without marks is called.
const noMark = "unmarked"

// quietAt is when the other counts as silent.
func (c *claim) quietAt(patience time.Duration) time.Time {
	since := c.connected
	if c.heard.After(since) {
		since = c.heard
	}
	return since.Add(max(patience, silentAfter*c.gap))
}

// silentAfter is how many intervals without a telegram mean that a bridge is silent.
const silentAfter = 6

// live tells if the other was heard just now.
func (c *claim) live(now time.Time, patience time.Duration) bool {
	return !c.heard.IsZero() && now.Before(c.quietAt(patience))
}

// yields tells that another bridge says whether the meter is online.
func (c *claim) yields(now time.Time, patience time.Duration) bool {
	return !c.first && c.contested() && c.alive && now.Before(c.quietAt(patience))
}

// contested tells that there is, or was, another.
func (c *claim) contested() bool { return c.holder != "" || c.unmarked && c.alive || !c.heard.IsZero() }

func (c *claim) decide(now time.Time, patience time.Duration) decision {
	quiet := !now.Before(c.quietAt(patience))
	switch {
	case c.first || !c.contested():
		return publish
	case c.freed || c.holder == "" && c.heard.IsZero(): // or an earlier version of this bridge wrote the description
		return waitUntil(quiet, publish)
	case !quiet && c.alive:
		return wait
	case c.evidence == notAsked:
		return ask
	case c.evidence == sameMeter:
		return publish
	case c.evidence == nothingKnown && c.unknown && c.heard.IsZero(): // most likely an earlier run
		return waitUntil(quiet, publish)
	}
	return withhold
}

func waitUntil(over bool, d decision) decision {
	if !over {
		return wait
	}
	return d
}

// description is what a bridge looks for in the retained description of a meter.
type description struct {
	Instance string    `json:"instance"`
	Since    time.Time `json:"since"`
}

// connect begins a new connection.
func (c *claim) connect(now time.Time) {
	c.connected, c.described, c.claiming, c.echoed, c.reply = now, false, false, false, false
	c.unmarked, c.alive = false, false
}

// info takes a description of the meter: what the broker has kept, or what was published just now. ours tells that a run of this bridge
// wrote it, echo that this run did.
func (c *claim) info(payload []byte, retained, ours, echo bool, d description, now time.Time) {
	switch {
	case len(payload) == 0:
		c.emptied(retained)
	case ours:
		c.ownInfo(retained, echo, d)
	case retained:
		c.keptInfo(d)
	case d.Instance == "" || d.olderThan(c):
		c.otherInfo(d, now)
	default:
		c.noticed(d.Instance, now)
		c.reply = c.reply || c.first // a bridge that has just started receives it and stays second
	}
}

// emptied is heard when somebody takes the description away.
func (c *claim) emptied(retained bool) {
	if retained {
		return
	}
	c.reply = c.reply || c.first
	if !c.first {
		c.holder, c.unmarked, c.freed = "", false, true
	}
}

func (c *claim) ownInfo(retained, echo bool, d description) {
	c.echoed = c.echoed || echo
	if !retained {
		return
	}
	c.holder, c.first = "", true // it was, and nobody has taken it over since
	if c.began.IsZero() {
		c.began = d.Since
	}
}

// keptInfo is another's description that the broker has kept.
func (c *claim) keptInfo(d description) {
	if d.Instance == "" {
		c.unmarked = true
		c.reply = c.reply || c.first
		return
	}
	if c.first { // somebody took it over while this bridge was away
		*c = claim{mark: c.mark, connected: c.connected, alive: c.alive, unknown: c.unknown, described: true}
	}
	if c.holder != d.Instance {
		c.holder, c.evidence, c.freed = d.Instance, notAsked, false
	}
}

// otherInfo is the description by another that may be the first.
func (c *claim) otherInfo(d description, now time.Time) {
	if d.Instance == "" && (c.first || c.claiming) { // an older version, which does not know the order of bridges
		c.noticed(noMark, now)
		c.reply = c.reply || c.first
		return
	}
	c.first, c.claiming, c.rival = false, false, ""
	c.holder = d.Instance
	c.spokenBy(now)
}

// telegram handles a telegram of another bridge. withheld reports whether it was sent without counters, as a second bridge does.
func (c *claim) telegram(mark string, withheld bool, now time.Time) {
	switch {
	case c.first || c.claiming:
		c.noticed(mark, now)
	case !withheld:
		c.spokenBy(now)
	}
}

// spokenBy notes that the other publishes.
func (c *claim) spokenBy(now time.Time) {
	if !c.heard.IsZero() {
		c.gap = min(now.Sub(c.heard), time.Hour) // no meter speaks more seldom
	}
	c.heard, c.alive, c.freed, c.evidence = now, true, false, notAsked
}

// noticed notes who publishes the meter too.
func (c *claim) noticed(mark string, now time.Time) {
	if mark == "" {
		mark = noMark
	}
	c.rival, c.rivalAt = mark, now
}

// olderThan tells if another began to publish before this bridge. Both know both times, so that they agree.
func (d description) olderThan(c *claim) bool {
	if !c.first && !c.claiming {
		return true
	}
	if d.Since.Equal(c.began) {
		return d.Instance < c.mark
	}
	return d.Since.Before(c.began)
}

// A sender is what is looked for in a telegram.
type sender struct {
	Instance string `json:"instance"`
	Counters string `json:"counters"`
}

// withheld is what stands in a telegram for its counters where they are not published.
const withheld = "withheld"

// parseJSON reads what is known of an object, and nothing of what is none.
func parseJSON[T any](payload []byte) (v T) {
	const most = 64 << 10 // no bridge publishes as much
	if len(payload) > most || json.Unmarshal(payload, &v) != nil {
		return *new(T)
	}
	return v
}
