package mqtt

import (
	"context"
	"maps"
	"slices"

	"github.com/hanbridge/hanbridge/bridge"
)

// A Published is what the broker retains of a meter below the base topic.
type Published struct {
	Meter string
	// Topics are in the order in which they are to be taken back. The description, which tells whose meter it is, is the last, so that
	// this can be interrupted and done again.
	Topics []string
	// Busy says why they must stay, in words for people: another bridge publishes the meter, or this one runs. "" where they may be taken back.
	Busy string
}

// PublishedBy returns what the broker retains of the meters that this bridge publishes or once published: those whose description
// has a mark of one of its runs, and those that are named. own are the runs of this bridge, nil where it has no state; configured are
// the meters of the configuration, named others. The last one, without a Meter, is the status of the bridge, if no bridge is online and no
// other meter is left. With an *IncompleteError what was read is returned too.
func PublishedBy(ctx context.Context, c Config, own *bridge.Instance, configured, named []string) (found []Published, err error) {
	const status = "status" // of the bridge, without a name behind it
	all, err := retainedBelow(ctx, c, nil, c.valueFilter(), c.BaseTopic+"/"+status)
	marks := newClaims(c.ClientID, own, leastPatience)
	bridgeStatus := all[status][""]
	delete(all, status)
	whole := err == nil && bridgeStatus != "" && bridgeStatus != online
	for _, id := range slices.Sorted(maps.Keys(all)) {
		kept := all[id]
		isConfigured := slices.Contains(configured, id)
		mark := parseJSON[description]([]byte(kept["info"])).Instance
		if id == ownDevice || !isConfigured && !slices.Contains(named, id) && (mark == "" || !marks.own(mark)) {
			whole = false
			continue
		}
		p := Published{Meter: id, Topics: c.topicsOf(id, kept)}
		if o := marks.other(kept, bridgeStatus == online); o.Message != "" {
			if p.Busy = o.Message; o.Second {
				p.Busy += id
			}
		} else if bridgeStatus == online && (isConfigured || kept["status"] == online) {
			p.Busy = "a bridge runs with this mqtt.base_topic, and would publish them again: stop it first. If none runs, the broker has kept an old " +
				"\"online\": mosquitto_pub -r -n -t " + c.BaseTopic + "/status removes it"
		}
		whole = whole && p.Busy == ""
		found = append(found, p)
	}
	if whole {
		found = append(found, Published{Topics: []string{c.BaseTopic + "/" + status}})
	}
	return found, err
}

// topicsOf returns the topics of what is kept of a meter, the description last.
func (c Config) topicsOf(meter string, kept map[string]string) (topics []string) {
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if topic := c.BaseTopic + "/" + meter + "/" + name; topic != c.InfoTopic(meter) {
			topics = append(topics, topic)
		}
	}
	if _, ok := kept["info"]; ok {
		topics = append(topics, c.InfoTopic(meter))
	}
	return topics
}
