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

// marks tell what this bridge publishes from what others do.
type marks struct {
	run      string // the mark of this run
	client   string // that of every run with this client id, where there is no state: a broker has no two clients of one id at a time
	instance *bridge.Instance
}

func newMarks(clientID string, instance *bridge.Instance) marks {
	h := fnv.New64a()
	_, _ = h.Write([]byte(clientID)) // a hash never fails
	m := marks{client: fmt.Sprintf("client-%016x", h.Sum64()), instance: instance}
	m.run = cmp.Or(instance.Mark(), m.client)
	return m
}

func (m marks) own(mark string) bool {
	return mark != "" && (mark == m.run || mark == m.client || m.instance.Owns(mark))
}

// An OtherBridge is what the broker tells of another bridge that publishes a meter.
type OtherBridge struct {
	Meter string
	// CountersWithheld tells that this bridge does not publish the meter's counters.
	CountersWithheld bool
	// Message says whose turn it is, in words for people.
	Message string
}

// bridgeStatus is the name, below the base topic, of whether the bridge is there.
const bridgeStatus = "status"

// FindOtherBridges looks in what the broker retains whether another bridge publishes one of the meters. own are the runs of this bridge, nil where
// it has no state.
func FindOtherBridges(ctx context.Context, c Config, own *bridge.Instance, meters ...string) (others []OtherBridge, err error) {
	all, err := retainedBelow(ctx, c, append(slices.Clone(meters), bridgeStatus), c.valueFilter(), c.BaseTopic+"/"+bridgeStatus)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	marks := newMarks(c.ClientID, own)
	for _, id := range meters {
		if o := marks.other(id, all[id], all[bridgeStatus][""] == online); o.Message != "" {
			others = append(others, o)
		}
	}
	return others, nil
}

// other judges the retained topics of a meter. The Message is "" where no other bridge publishes it.
func (m marks) other(id string, kept map[string]string, alive bool) OtherBridge {
	d := parseJSON[struct {
		description
		Client string `json:"client"`
		Other  string `json:"other_instance"`
	}]([]byte(kept["info"]))
	alive = alive && kept["status"] == online
	switch own := m.own(d.Instance) || d.Client == m.client; { // of this client id no two bridges are connected
	case own && d.Other != "":
		return OtherBridge{Meter: id, Message: saidFirst}
	case own, kept["info"] == "", d.Instance == "" && !alive:
		return OtherBridge{}
	case d.Instance == "":
		return OtherBridge{Meter: id, Message: "a bridge of an earlier version publishes this meter. If it is not the one of this configuration, set another meters.id in one of the two"}
	case alive:
		return OtherBridge{id, true, saidSecond + id}
	}
	return OtherBridge{id, true, "another bridge published this meter before, and is not connected. If the meter is the same, its counters go on from here; " +
		"if not, set another meters.id, or type: hanbridge takeover " + id}
}

// A RetainedMeter is what the broker retains of a meter below the base topic.
type RetainedMeter struct {
	Meter string
	// Topics are in the order in which they are to be taken back. The description, which tells whose meter it is, is the last, so that
	// this can be interrupted and done again.
	Topics []string
	// InUse says why they must stay, in words for people: another bridge publishes the meter, or this one runs. "" where they may be taken back.
	InUse string
}

// OwnRetained returns what the broker retains of the meters that this bridge publishes or once published: those whose description
// has a mark of one of its runs, and those that are named. own are the runs of this bridge, nil where it has no state; configured are
// the meters of the configuration, named others. The last one, without a Meter, is the status of the bridge, if no bridge is online and no
// other meter is left. With an *IncompleteError what was read is returned too.
func OwnRetained(ctx context.Context, c Config, own *bridge.Instance, configured, named []string) (found []RetainedMeter, err error) {
	statusTopic := c.BaseTopic + "/" + bridgeStatus
	all, err := retainedBelow(ctx, c, nil, c.valueFilter(), statusTopic)
	marks, status := newMarks(c.ClientID, own), all[bridgeStatus][""]
	delete(all, bridgeStatus)
	whole := err == nil && status != "" && status != online
	for _, id := range slices.Sorted(maps.Keys(all)) {
		kept, isConfigured := all[id], slices.Contains(configured, id)
		mine := isConfigured || slices.Contains(named, id) || marks.own(parseJSON[description]([]byte(kept["info"])).Instance)
		if id == ownDevice || !mine {
			whole = false
			continue
		}
		p := RetainedMeter{Meter: id, Topics: c.topicsOf(id, kept), InUse: marks.other(id, kept, status == online).Message}
		if p.InUse == "" && status == online && (isConfigured || kept["status"] == online) {
			p.InUse = "a bridge runs with this mqtt.base_topic, and would publish them again: stop it first. If none runs, the broker has kept an old " +
				"\"online\": mosquitto_pub -r -n -t " + statusTopic + " removes it"
		}
		whole = whole && p.InUse == ""
		found = append(found, p)
	}
	if whole {
		found = append(found, RetainedMeter{Topics: []string{statusTopic}})
	}
	return found, err
}

// topicsOf returns the topics of what is kept of a meter, the description last.
func (c Config) topicsOf(meter string, kept map[string]string) (topics []string) {
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if name != "info" {
			topics = append(topics, c.BaseTopic+"/"+meter+"/"+name)
		}
	}
	if _, ok := kept["info"]; ok {
		topics = append(topics, c.InfoTopic(meter))
	}
	return topics
}
