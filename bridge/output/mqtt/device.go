package mqtt

import (
	"context"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/discovery"
)

// devices are what a broker was given to keep, device by device: over connections, and over restarts where there is a memory.
// So that what is no longer wanted can be taken back. The bridge's own device has the id "".
type devices struct {
	store *state.Store

	mu   sync.Mutex // of the output and the state file
	kept keptDevices
}

// keptDevices is the form in which it is kept.
type keptDevices struct {
	Broker string `json:"broker"`
	Base   string `json:"base"`
	// Prefix is the discovery prefix below which the broker was asked what it holds, and Asked is when it first was; zero before.
	// See retainedScan.
	Prefix  string            `json:"prefix"`
	Asked   time.Time         `json:"asked"`
	Devices map[string]device `json:"devices"`
}

// A device is what the broker holds of one.
type device struct {
	// Announced are the discovery topics, and what they announced.
	Announced discovery.Held `json:"announced"`
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
	store.Keep(devicesKey, d.encode)
	return d
}

// asked notes that the broker has been asked.
func (d *devices) asked(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept.Asked.IsZero() {
		d.kept.Asked = now
	}
	d.store.Changed()
}

// whole is from when on they are all that the broker holds of these devices.
func (d *devices) whole() time.Time { return d.kept.Asked.Add(foundLifetime) }

// add notes that the broker holds more of a device.
func (d *devices) add(id string, more device) {
	held := d.kept.Devices[id]
	d.set(id, device{Announced: held.Announced.With(more.Announced), Topics: union(held.Topics, more.Topics)})
}

// encode is for the goroutine of the state file.
func (d *devices) encode() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, err := json.Marshal(d.kept)
	if err != nil { // nothing in it makes it fail
		return nil
	}
	return text
}

// set notes what the broker holds of a device; nothing of one that holds nothing.
func (d *devices) set(id string, now device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(now.Announced) == 0 && len(now.Topics) == 0 {
		delete(d.kept.Devices, id)
	} else {
		d.kept.Devices[id] = now
	}
	d.store.Changed()
}

// syncTime is how long the disk is waited for: one that is full must not keep values from being published.
const syncTime = 2 * time.Second

// sync waits until all this is on disk, where there is a memory.
func (d *devices) sync() {
	ctx, cancel := context.WithTimeout(context.Background(), syncTime)
	defer cancel()
	d.store.Sync(ctx)
}

// move notes another base topic.
func (d *devices) move(base string) {
	d.mu.Lock()
	d.kept.Base = base
	d.mu.Unlock()
	d.sync()
}

// topics are all retained topics, whole ones.
func (d *devices) topics() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(d.kept.Devices)) {
		for _, t := range d.kept.Devices[id].Topics {
			all = append(all, path.Join(d.kept.Base, id, t))
		}
	}
	return all
}

// others are the devices that are held and not among the meters that are configured.
func (d *devices) others(configured []bridge.Meter) (all []string) {
	for _, id := range slices.Sorted(maps.Keys(d.kept.Devices)) {
		if id != "" && !slices.ContainsFunc(configured, func(m bridge.Meter) bool { return m.ID == id }) {
			all = append(all, id)
		}
	}
	return all
}
