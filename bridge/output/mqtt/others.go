package mqtt

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/hanbridge/hanbridge/bridge"
)

// marks are the instance marks of this bridge. They distinguish its messages from those of other bridges.
type marks struct {
	run      string           // the mark of this run; without a state file, it is equal to client
	client   string           // the mark of every run without a state file; it is derived from the client id
	instance *bridge.Instance // nil if the bridge has no state file
}

// newMarks returns the marks of a bridge. instance is nil if the bridge has no state file.
func newMarks(clientID string, instance *bridge.Instance) marks {
	h := fnv.New64a()
	_, _ = h.Write([]byte(clientID)) // Write of a hash never returns an error
	m := marks{client: fmt.Sprintf("client-%016x", h.Sum64()), instance: instance}
	m.run = cmp.Or(instance.Mark(), m.client)
	return m
}

// isOwn reports whether a mark is that of this run or of an earlier run of this bridge.
func (m marks) isOwn(mark string) bool {
	return mark != "" && (mark == m.run || mark == m.client || m.instance.Owns(mark))
}

// An OtherBridge reports that another bridge publishes a meter.
type OtherBridge struct {
	// Meter is the id of the meter.
	Meter string
	// CountersWithheld is true if this bridge does not publish the meter's counters because of the other bridge.
	CountersWithheld bool
	// Message says what the user should do.
	Message string
}

// bridgeStatus is the topic of the bridge's status, relative to the base topic. In the result of retainedBelow, the status is the entry
// [bridgeStatus][""].
const bridgeStatus = "status"

// FindOtherBridges connects to the broker and returns the other bridges that publish one of the meters, according to retained topics. meters
// holds ids. instance holds the marks of this bridge's runs; instance is nil if the bridge has no state file.
func FindOtherBridges(ctx context.Context, c Config, instance *bridge.Instance, meters ...string) (others []OtherBridge, err error) {
	all, err := retainedBelow(ctx, c, append(slices.Clone(meters), bridgeStatus), c.valueFilter(), c.BaseTopic+"/"+bridgeStatus)
	if err != nil && len(all) == 0 { // if at least one topic was read, the error is ignored
		return nil, err
	}
	marks := newMarks(c.ClientID, instance)
	for _, id := range meters {
		if o := marks.findOther(id, all[id], all[bridgeStatus][""] == online); o.Message != "" {
			others = append(others, o)
		}
	}
	return others, nil
}

// findOther decides from the retained topics of a meter whether another bridge publishes the meter. The Message is "" if no other bridge
// publishes it. bridgeOnline is true if a bridge with the base topic is online.
func (m marks) findOther(id string, retained map[string]string, bridgeOnline bool) OtherBridge {
	info := parseJSON[struct {
		infoPayload
		Client string `json:"client"`         // marks.client of the bridge that wrote the description
		Other  string `json:"other_instance"` // the mark of another bridge that publishes the meter too; "" if there is none
	}]([]byte(retained["info"]))
	isOwn := m.isOwn(info.Instance) || info.Client == m.client // this bridge wrote the description
	meterOnline := bridgeOnline && retained["status"] == online
	switch {
	case isOwn && info.Other != "":
		return OtherBridge{Meter: id, Message: textForFirstBridge}
	case isOwn, retained["info"] == "", info.Instance == "" && !meterOnline:
		return OtherBridge{}
	case info.Instance == "":
		return OtherBridge{Meter: id, Message: "a bridge of an earlier version publishes this meter. If that bridge has another configuration, set another meters.id in one of the two configurations"}
	case meterOnline:
		return OtherBridge{id, true, textForSecondBridge + id}
	}
	return OtherBridge{id, true, "another bridge published this meter before, and is not connected. If both bridges read the same meter, this bridge " +
		"publishes the counters. Otherwise set another meters.id, or type: hanbridge takeover " + id}
}

// A RetainedMeter lists the topics that the broker retains of a meter below the base topic.
type RetainedMeter struct {
	// Meter is the id of the meter, or "" for the status of the bridge.
	Meter string
	// Topics are in the order in which they must be removed. The topic of the description is the last. Because the description shows which
	// bridge publishes the meter, an interrupted removal can be repeated.
	Topics []string
	// InUse says, in words for users, why the topics must remain on the broker: another bridge publishes the meter, or a bridge with
	// this base topic runs. InUse is "" if the topics can be removed.
	InUse string
}

// OwnRetained returns the retained topics of three kinds of meters: the meters whose ids are in configured, the meters whose ids are in named,
// and the meters whose description has a mark of this bridge. configured has the ids in the configuration. named has the ids that the user has
// typed. instance holds the marks of this bridge's runs; instance is nil if the bridge has no state file. If all topics below the base topic
// were read and can be removed, and a status other than online is retained, the last entry is the status of the bridge. With an
// *IncompleteError, OwnRetained also returns the topics that were read.
func OwnRetained(ctx context.Context, c Config, instance *bridge.Instance, configured, named []string) (found []RetainedMeter, err error) {
	statusTopic := c.BaseTopic + "/" + bridgeStatus
	all, err := retainedBelow(ctx, c, nil, c.valueFilter(), statusTopic)
	marks, status := newMarks(c.ClientID, instance), all[bridgeStatus][""]
	delete(all, bridgeStatus)
	removeStatus := err == nil && status != "" && status != online
	for _, id := range slices.Sorted(maps.Keys(all)) {
		retained, isConfigured := all[id], slices.Contains(configured, id)
		isOwn := isConfigured || slices.Contains(named, id) || marks.isOwn(parseJSON[infoPayload]([]byte(retained["info"])).Instance)
		if id == ownDevice || !isOwn {
			removeStatus = false // another bridge possibly publishes these topics, and then also the status
			continue
		}
		r := RetainedMeter{Meter: id, Topics: c.topicsOf(id, retained), InUse: marks.findOther(id, retained, status == online).Message}
		publishesAgain := status == online && (isConfigured || retained["status"] == online)
		if r.InUse == "" && publishesAgain {
			r.InUse = "a bridge runs with this mqtt.base_topic, and would publish them again: stop that bridge first. If no bridge runs, the broker " +
				"retains an old status \"online\": mosquitto_pub -r -n -t " + statusTopic + " removes that status"
		}
		removeStatus = removeStatus && r.InUse == ""
		found = append(found, r)
	}
	if removeStatus {
		found = append(found, RetainedMeter{Topics: []string{statusTopic}})
	}
	return found, err
}

// topicsOf returns the full topics of the retained values of a meter. The topic of the description is the last.
func (c Config) topicsOf(meter string, retained map[string]string) (topics []string) {
	for _, name := range slices.Sorted(maps.Keys(retained)) {
		if name != "info" {
			topics = append(topics, c.BaseTopic+"/"+meter+"/"+name)
		}
	}
	if _, ok := retained["info"]; ok {
		topics = append(topics, c.InfoTopic(meter))
	}
	return topics
}
