package mqtt

import (
	"cmp"
	"encoding/json"
	"time"
)

// An ownership records which bridges publish one meter. A second bridge can have the same mqtt.base_topic and meters.id. Then only the first
// bridge publishes counters. Otherwise a hub would record the difference between the counters of two meters as consumption.
//
// The instance mark of a bridge distinguishes its messages from those of other bridges. The first bridge is the bridge whose mark is in the
// retained description of the meter, <base>/<meter>/info. If there is no description, the bridge whose meter sends a telegram first becomes the
// first bridge. A second bridge becomes the first when the first bridge has sent nothing for silentIntervals telegram intervals. In addition,
// the counters must show that the meter is the same, or a person must have removed the description (hanbridge takeover).
type ownership struct {
	ownMark     string        // the instance mark of this run
	minSilence  time.Duration // the shortest time without a telegram of the other bridge after which this bridge can replace that bridge
	isFirst     bool          // this bridge is the first and publishes the counters
	since       time.Time     // when this bridge, in this or an earlier run, began to publish the meter
	connectedAt time.Time     // when this connection began to receive messages

	otherMark     string        // the mark of another bridge in the retained description; "" if there is none
	otherUnmarked bool          // a version of hanbridge without marks wrote the retained description
	otherOnline   bool          // a bridge with this base topic was online when this bridge connected, or has published after that
	lastOther     time.Time     // when another bridge that publishes counters last sent a telegram or a description; zero for never
	otherInterval time.Duration // the time between the last two of these messages
	infoRemoved   bool          // a person has removed the other bridge's description
	comparison    comparison    // the result of comparing this meter with the retained values of the other bridge
	stateless     bool          // this bridge has no state file, so the other bridge is possibly an earlier run of this bridge

	infoReceived  bool // the retained description has been received
	claiming      bool // this bridge has published its description, and waits in case a bridge that began earlier publishes its own
	echoReceived  bool // this bridge has received the description that it has published
	republishInfo bool // the description must be published again, so that the other bridge learns which bridge is first

	// rivalMark is the mark of another bridge that publishes the meter although this bridge is the first. It is "unmarked" if that bridge has
	// no mark, and "" if there is no such bridge.
	rivalMark     string
	rivalLastTime time.Time // when the bridge with rivalMark last published
}

// A comparison is the result of comparing this meter with the retained values of another bridge.
type comparison uint8

const (
	notCompared comparison = iota
	sameMeter
	anotherMeter
	inconclusive // nothing shows whether it is the same meter
)

// A decision is what to do with the counters of a meter that has sent a telegram.
type decision uint8

const (
	publishCounters  decision = iota
	waitForOther              // withhold counters until it is known whether the other bridge still publishes
	needComparison            // compare the meter with the retained values, and decide again
	withholdCounters          // withhold counters until a person acts
)

// silentAt returns the time at which the other bridge counts as silent, unless that bridge sends a telegram earlier.
func (o *ownership) silentAt() time.Time {
	since := o.connectedAt
	if o.lastOther.After(since) {
		since = o.lastOther
	}
	return since.Add(max(o.minSilence, silentIntervals*o.otherInterval))
}

// silentIntervals is the number of telegram intervals without a telegram after which a bridge counts as silent.
const silentIntervals = 6

// isSilent reports whether the other bridge counts as silent.
func (o *ownership) isSilent(now time.Time) bool { return !now.Before(o.silentAt()) }

// otherPublishesStatus reports whether another bridge publishes the status of the meter.
func (o *ownership) otherPublishesStatus(now time.Time) bool {
	return !o.isFirst && o.contested() && o.otherOnline && !o.isSilent(now)
}

// contested reports whether another bridge publishes or has published the meter. A bridge without marks of which only the retained
// description is known counts only if a bridge is online.
func (o *ownership) contested() bool {
	return o.otherMark != "" || o.otherUnmarked && o.otherOnline || !o.lastOther.IsZero()
}

// decide returns what to do with the counters of the meter.
func (o *ownership) decide(now time.Time) decision {
	// ownDescription is true if most likely an earlier version or an earlier run of this bridge wrote the retained description. Another bridge
	// has sent no telegram. The description has no mark, or this bridge cannot recognize the mark without a state file.
	ownDescription := o.lastOther.IsZero() && (o.otherMark == "" || o.stateless && o.comparison == inconclusive)
	unowned := o.infoRemoved || ownDescription // if so, this bridge publishes the counters when the other bridge is silent
	switch {
	case o.isFirst, !o.contested(), unowned && o.isSilent(now):
		return publishCounters
	case unowned, o.otherOnline && !o.isSilent(now):
		return waitForOther
	case o.comparison == notCompared:
		return needComparison
	case o.comparison == sameMeter:
		return publishCounters
	}
	return withholdCounters
}

// infoPayload holds the fields of a meter's description that ownership depends on.
type infoPayload struct {
	Instance string    `json:"instance"` // the mark of the bridge that wrote the description
	Since    time.Time `json:"since"`    // when that bridge began to publish the meter
}

// resetForConnection sets connectedAt, and clears the other fields that describe one connection.
func (o *ownership) resetForConnection(now time.Time) {
	o.connectedAt, o.infoReceived, o.claiming, o.echoReceived, o.republishInfo = now, false, false, false, false
	o.otherUnmarked, o.otherOnline = false, false
}

// receiveInfo handles a description of the meter, retained or just published. An empty payload means that a person or another program has
// removed the description. isOwn is true if this run or an earlier run of this bridge wrote it. isEcho is true if this run has just published it.
func (o *ownership) receiveInfo(payload []byte, retained, isOwn, isEcho bool, info infoPayload, now time.Time) {
	o.infoReceived = o.infoReceived || retained
	claimsFirst := o.isFirst || o.claiming
	otherIsFirst := !claimsFirst || info.Instance != "" && info.olderThan(o)
	switch {
	case isOwn:
		o.echoReceived = o.echoReceived || isEcho
		if !retained {
			return
		}
		o.otherMark, o.isFirst = "", true // this bridge was the first, and no other bridge has become the first after that
		if o.since.IsZero() {
			o.since = info.Since
		}
	case len(payload) == 0 && !o.isFirst: // the description of the other bridge was removed
		o.otherMark, o.otherUnmarked, o.infoRemoved = "", false, true
	case retained && info.Instance == "": // a version of hanbridge without marks wrote the description
		o.otherUnmarked, o.republishInfo = true, o.republishInfo || o.isFirst
	case retained:
		o.receiveRetainedInfo(info)
	case len(payload) > 0 && otherIsFirst:
		o.isFirst, o.claiming, o.rivalMark, o.otherMark = false, false, "", info.Instance
		o.noteTelegram(now)
	case len(payload) > 0: // another bridge has replaced the description of this bridge
		o.noteRival(info.Instance, now)
		fallthrough
	default: // the description of this bridge was replaced, or removed (empty payload)
		o.republishInfo = o.republishInfo || o.isFirst
	}
}

// receiveRetainedInfo handles the retained description of another bridge.
func (o *ownership) receiveRetainedInfo(info infoPayload) {
	if o.isFirst { // another bridge became the first while this bridge was not connected
		*o = ownership{ownMark: o.ownMark, minSilence: o.minSilence, connectedAt: o.connectedAt, otherOnline: o.otherOnline, stateless: o.stateless, infoReceived: true}
	}
	if o.otherMark != info.Instance {
		o.otherMark, o.comparison, o.infoRemoved = info.Instance, notCompared, false
	}
}

// receiveTelegram handles a telegram of another bridge. withheld is true if the telegram has no counters, because a second bridge sent it.
func (o *ownership) receiveTelegram(mark string, withheld bool, now time.Time) {
	switch {
	case o.isFirst || o.claiming:
		o.noteRival(mark, now)
	case !withheld:
		o.noteTelegram(now)
	}
}

// noteTelegram records that a bridge that publishes counters has just sent a telegram or a description.
func (o *ownership) noteTelegram(now time.Time) {
	if !o.lastOther.IsZero() {
		o.otherInterval = min(now.Sub(o.lastOther), time.Hour) // every meter sends at least one telegram an hour
	}
	o.lastOther, o.otherOnline, o.infoRemoved, o.comparison = now, true, false, notCompared
}

// noteRival records the mark of another bridge that has published although this bridge is the first.
func (o *ownership) noteRival(mark string, now time.Time) {
	o.rivalMark, o.rivalLastTime = cmp.Or(mark, "unmarked"), now
}

// olderThan reports whether another bridge began to publish before this bridge. If the times are equal, the bridge with the lower mark counts as
// older. So two bridges that have received each other's description agree which of them is older.
func (p infoPayload) olderThan(o *ownership) bool {
	return cmp.Or(p.Since.Compare(o.since), cmp.Compare(p.Instance, o.ownMark)) < 0
}

// A telegramOrigin holds the fields of a telegram's payload that ownership depends on.
type telegramOrigin struct {
	Instance string `json:"instance"` // the mark of the bridge that sent the telegram
	Counters string `json:"counters"` // withheldText or ""
}

// withheldText is the value of "counters" in a telegram whose counters are not published.
const withheldText = "withheld"

// parseJSON decodes the fields of T from a JSON object. It returns the zero value if payload is too large or is not a JSON object with fields
// of these types.
func parseJSON[T any](payload []byte) (v T) {
	const maxBytes = 64 << 10 // more than any bridge publishes
	if len(payload) > maxBytes || json.Unmarshal(payload, &v) != nil {
		return *new(T)
	}
	return v
}
