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

// savedDevices records what the broker retains of each device, so that it can be taken back when it is no longer wanted. It lasts over
// connections and, if there is a state file, over restarts.
type savedDevices struct {
	store    *state.Store
	document deviceDocument
}

// A deviceDocument is the form of savedDevices in the state file.
type deviceDocument struct {
	Broker string `json:"broker"`
	Base   string `json:"base"`
	// Prefix is the discovery prefix of the retained scan (see scanRetained). Asked is the time of the first complete scan, or zero.
	Prefix string    `json:"prefix"`
	Asked  time.Time `json:"asked"`
	// Devices is keyed by the id of the meter; "" is the bridge's own device.
	Devices map[string]device `json:"devices"`
}

// A device is what the broker retains of one device.
type device struct {
	// Announced holds the discovery topics and what they announced.
	Announced discovery.Announced `json:"announced"`
	// Topics are the topics with retained values, relative to the meter's topic.
	Topics []string `json:"topics"`
}

// devicesKey is the key of the document in the state file.
const devicesKey = "mqtt"

// loadDevices reads from the state file what earlier runs have retained on this broker.
func loadDevices(store *state.Store, c *Config) *savedDevices {
	d := &savedDevices{store: store}
	if json.Unmarshal(store.Value(devicesKey), &d.document) != nil || d.document.Broker != c.URL || d.document.Devices == nil {
		d.document = deviceDocument{Broker: c.URL, Base: c.BaseTopic, Devices: map[string]device{}}
	}
	if d.document.Prefix != c.Prefix { // it is not known what is retained below the new prefix
		d.document.Prefix, d.document.Asked = c.Prefix, time.Time{}
	}
	d.save()
	return d
}

// save passes a copy to the state file. It must be called after each change.
func (d *savedDevices) save() {
	if text, err := json.Marshal(d.document); err == nil { // it cannot fail: every field can be encoded
		d.store.Register(devicesKey, func() []byte { return text })
		d.store.MarkChanged()
	}
}

// completeAt returns from when on the record is complete: the broker retains nothing else of these devices.
func (d *savedDevices) completeAt() time.Time { return d.document.Asked.Add(foundLifetime) }

// add records that the broker also retains more of a device.
func (d *savedDevices) add(id string, more device) {
	held := d.document.Devices[id]
	d.set(id, device{Announced: held.Announced.Union(more.Announced), Topics: union(held.Topics, more.Topics)})
}

// set records what the broker retains of a device. It removes the device from the record if that is nothing.
func (d *savedDevices) set(id string, retained device) {
	if d.document.Devices[id] = retained; len(retained.Announced) == 0 && len(retained.Topics) == 0 {
		delete(d.document.Devices, id)
	}
	d.save()
}

// syncTimeout is how long sync waits for the disk. A full disk must not stop publishing.
const syncTimeout = 2 * time.Second

// sync waits until the record is on disk, if there is a state file.
func (d *savedDevices) sync() {
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeout)
	defer cancel()
	d.store.Sync(ctx)
}

// topics returns every retained topic with values, as full topics.
func (d *savedDevices) topics() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(d.document.Devices)) {
		prefix := d.document.Base + "/"
		if id != "" { // "" is the bridge itself
			prefix += id + "/"
		}
		for _, t := range d.document.Devices[id].Topics {
			all = append(all, prefix+t)
		}
	}
	return all
}
