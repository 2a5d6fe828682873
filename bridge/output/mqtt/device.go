package mqtt

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/discovery"
)

// devices are what a broker was given to keep, device by device: over connections, and over restarts where there is a memory.
// So that what is no longer wanted can be taken back.
type devices struct {
	store *state.Store
	kept  keptDevices
}

// keptDevices is the form in which it is kept.
type keptDevices struct {
	Broker string `json:"broker"`
	Base   string `json:"base"`
	// Prefix is the discovery prefix below which the broker was asked what it holds, and Asked is when it first was; zero before.
	// See scanRetained.
	Prefix string    `json:"prefix"`
	Asked  time.Time `json:"asked"`
	// Devices are by the id of the meter; "" for the bridge's own device.
	Devices map[string]device `json:"devices"`
}

// A device is what the broker holds of one.
type device struct {
	// Announced are the discovery topics, and what they announced.
	Announced discovery.Announced `json:"announced"`
	// Topics are those with retained values, below the meter's own.
	Topics []string `json:"topics"`
}

const devicesKey = "mqtt"

// recallDevices reads what an earlier run left on this broker.
func recallDevices(store *state.Store, c *Config) *devices {
	d := &devices{store: store}
	if json.Unmarshal(store.Value(devicesKey), &d.kept) != nil || d.kept.Broker != c.URL || d.kept.Devices == nil {
		d.kept = keptDevices{Broker: c.URL, Base: c.BaseTopic, Devices: map[string]device{}}
	}
	if d.kept.Prefix != c.Prefix { // what an earlier run left below this one is not known
		d.kept.Prefix, d.kept.Asked = c.Prefix, time.Time{}
	}
	d.keep()
	return d
}

// keep hands a copy to the state file. Call it after each change.
func (d *devices) keep() {
	if text, err := json.Marshal(d.kept); err == nil { // nothing in it makes it fail
		d.store.Register(devicesKey, func() []byte { return text })
		d.store.MarkChanged()
	}
}

// whole is from when on they are all that the broker holds of these devices.
func (d *devices) whole() time.Time { return d.kept.Asked.Add(foundLifetime) }

// add notes that the broker holds more of a device.
func (d *devices) add(id string, more device) {
	held := d.kept.Devices[id]
	d.set(id, device{Announced: held.Announced.Union(more.Announced), Topics: union(held.Topics, more.Topics)})
}

// set notes what the broker holds of a device; nothing of one that holds nothing.
func (d *devices) set(id string, now device) {
	if d.kept.Devices[id] = now; len(now.Announced) == 0 && len(now.Topics) == 0 {
		delete(d.kept.Devices, id)
	}
	d.keep()
}

// syncTime is how long the disk is waited for: one that is full must not keep values from being published.
const syncTime = 2 * time.Second

// sync waits until all this is on disk, where there is a memory.
func (d *devices) sync() {
	ctx, cancel := context.WithTimeout(context.Background(), syncTime)
	defer cancel()
	d.store.Sync(ctx)
}

// topics are all retained topics, whole ones.
func (d *devices) topics() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(d.kept.Devices)) {
		prefix := d.kept.Base + "/"
		if id != "" { // "" is the bridge itself
			prefix += id + "/"
		}
		for _, t := range d.kept.Devices[id].Topics {
			all = append(all, prefix+t)
		}
	}
	return all
}
