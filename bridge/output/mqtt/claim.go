package mqtt

import (
	"cmp"
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
	mark      string        // of this run
	patience  time.Duration // how long the other may be silent at least before it is taken for gone
	first     bool          // the counters are published here
	began     time.Time     // since when; taken over from an earlier run if the broker has retained its description
	connected time.Time     // when this connection began to listen

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

// quietAt is when the other counts as silent.
func (c *claim) quietAt() time.Time {
	since := c.connected
	if c.heard.After(since) {
		since = c.heard
	}
	return since.Add(max(c.patience, silentAfter*c.gap))
}

// silentAfter is how many intervals without a telegram mean that a bridge is silent.
const silentAfter = 6

func (c *claim) quiet(now time.Time) bool { return !now.Before(c.quietAt()) }

// yields tells that another bridge says whether the meter is online.
func (c *claim) yields(now time.Time) bool {
	return !c.first && c.contested() && c.alive && !c.quiet(now)
}

// contested tells that there is, or was, another.
func (c *claim) contested() bool { return c.holder != "" || c.unmarked && c.alive || !c.heard.IsZero() }

func (c *claim) decide(now time.Time) decision {
	// Where nothing was heard, an earlier version or an earlier run of this bridge wrote the description, most likely.
	free := c.freed || c.heard.IsZero() && (c.holder == "" || c.unknown && c.evidence == nothingKnown)
	switch {
	case c.first, !c.contested(), free && c.quiet(now):
		return publish
	case free, c.alive && !c.quiet(now):
		return wait
	case c.evidence == notAsked:
		return ask
	case c.evidence == sameMeter:
		return publish
	}
	return withhold
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

// info takes a description of the meter: what the broker has kept, or what was published just now; empty where somebody has taken it away.
// ours tells that a run of this bridge wrote it, echo that this run did.
func (c *claim) info(payload []byte, retained, ours, echo bool, d description, now time.Time) {
	c.described = c.described || retained
	switch {
	case ours:
		c.echoed = c.echoed || echo
		if !retained {
			return
		}
		c.holder, c.first = "", true // it was, and nobody has taken it over since
		if c.began.IsZero() {
			c.began = d.Since
		}
	case len(payload) == 0 && !c.first:
		c.holder, c.unmarked, c.freed = "", false, true
	case retained && d.Instance == "":
		c.unmarked, c.reply = true, c.reply || c.first
	case retained:
		c.keptInfo(d)
	case len(payload) > 0 && (!c.first && !c.claiming || d.Instance != "" && d.olderThan(c)):
		c.first, c.claiming, c.rival, c.holder = false, false, "", d.Instance
		c.spokenBy(now)
	case len(payload) > 0: // by an older version, which does not know the order of bridges, or one that has just started
		c.noticed(d.Instance, now)
		fallthrough
	default:
		c.reply = c.reply || c.first // the other receives it and stays second
	}
}

// keptInfo is another's description that the broker has kept.
func (c *claim) keptInfo(d description) {
	if c.first { // somebody took it over while this bridge was away
		*c = claim{mark: c.mark, patience: c.patience, connected: c.connected, alive: c.alive, unknown: c.unknown, described: true}
	}
	if c.holder != d.Instance {
		c.holder, c.evidence, c.freed = d.Instance, notAsked, false
	}
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
	c.rival, c.rivalAt = cmp.Or(mark, "unmarked"), now
}

// olderThan tells if another began to publish before this bridge. Both know both times, so that they agree.
func (d description) olderThan(c *claim) bool {
	return cmp.Or(d.Since.Compare(c.began), cmp.Compare(d.Instance, c.mark)) < 0
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
