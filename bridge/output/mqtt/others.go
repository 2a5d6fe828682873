package mqtt

import (
	"context"
	"slices"

	"github.com/hanbridge/hanbridge/bridge"
)

// An Other is what the broker tells of another bridge that publishes a meter.
type Other struct {
	Meter string
	// Second tells that this bridge does not publish the meter's counters.
	Second bool
	// Message says whose turn it is, in words for people.
	Message string
}

// Others looks in what the broker retains whether another bridge publishes one of the meters. own are the runs of this bridge, nil where
// it has no state.
func Others(ctx context.Context, c Config, own *bridge.Instance, meters ...string) ([]Other, error) {
	const status = "status" // of the bridge
	all, err := retainedBelow(ctx, c, append(slices.Clone(meters), status), c.valueFilter(), c.BaseTopic+"/"+status)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	marks := newClaims(c.ClientID, own, leastPatience)
	var others []Other
	for _, id := range meters {
		if o := marks.other(all[id], all[status][""] == online); o.Message != "" {
			o.Meter = id
			if o.Second {
				o.Message += id
			}
			others = append(others, o)
		}
	}
	return others, nil
}

// other judges the retained topics of a meter.
func (c *claims) other(kept map[string]string, alive bool) Other {
	d := parseJSON[struct {
		description
		Client string `json:"client"`
		Other  string `json:"other_instance"`
	}]([]byte(kept["info"]))
	alive = alive && kept["status"] == online
	switch own := c.own(d.Instance) || d.Client == c.derived; { // of this client id no two bridges are connected
	case own && d.Other != "":
		return Other{Message: saidFirst}
	case own, kept["info"] == "", d.Instance == "" && !alive:
		return Other{}
	case d.Instance == "":
		return Other{Message: "a bridge of an earlier version publishes this meter. If it is not the one of this configuration, set another meters.id in one of the two"}
	case alive:
		return Other{Second: true, Message: saidSecond}
	}
	return Other{Second: true, Message: "another bridge published this meter before, and is not connected. If the meter is the same, its counters go on from here; " +
		"if not, set another meters.id, or type: hanbridge takeover "}
}
