package mqtt

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/discovery"
)

// savedDevices records the announcements and values that the broker retains of each device. The bridge needs the record to remove them when
// they are no longer wanted. If there is a state file, the record remains after a restart.
type savedDevices struct {
	store    *state.Store
	mu       sync.Mutex     // guards document, which only the goroutine of Run changes, with change
	document deviceDocument // other goroutines read it with encode
}

// A deviceDocument is the form of savedDevices in the state file.
type deviceDocument struct {
	// Broker is the URL of the broker, and Base the base topic of the retained values.
	Broker string `json:"broker"`
	Base   string `json:"base"`
	// Prefix is the discovery prefix below which the retained scan has searched (see scanRetained). FirstScan is the time of the first complete
	// scan below Prefix; zero if there was none. Its key in the file must not change.
	Prefix    string    `json:"prefix"`
	FirstScan time.Time `json:"asked"`
	// Devices has the id of the meter as key; "" is the bridge's own device.
	Devices map[string]device `json:"devices"`
}

// A device holds the announcements and topics that the broker retains of one device.
type device struct {
	// Announced holds the retained announcements by their topic.
	Announced discovery.Announced `json:"announced"`
	// Topics are the topics with retained values, relative to the meter's topic.
	Topics []string `json:"topics"`
}

// devicesKey is the key of the document in the state file.
const devicesKey = "mqtt"

// loadDevices reads from the state file what the broker retains of earlier runs. The result has no devices if the file is about another broker.
func loadDevices(store *state.Store, c *Config) *savedDevices {
	d := &savedDevices{store: store}
	if json.Unmarshal(store.Value(devicesKey), &d.document) != nil || d.document.Broker != c.URL || d.document.Devices == nil {
		d.document = deviceDocument{Broker: c.URL, Base: c.BaseTopic, Devices: map[string]device{}}
	}
	if d.document.Prefix != c.Prefix { // a scan must find the announcements that the broker retains under the new prefix
		d.document.Prefix, d.document.FirstScan = c.Prefix, time.Time{}
	}
	store.Register(devicesKey, d.encode)
	store.MarkChanged()
	return d
}

// change changes the document. The devices in it must not be changed, only replaced, because encode reads them later.
func (d *savedDevices) change(f func(*deviceDocument)) {
	d.mu.Lock()
	f(&d.document)
	d.mu.Unlock()
	d.store.MarkChanged()
}

// encode returns the document as JSON. The goroutine of the state file calls it.
func (d *savedDevices) encode() []byte {
	d.mu.Lock()
	document := d.document
	document.Devices = maps.Clone(document.Devices)
	d.mu.Unlock()
	text, err := json.Marshal(document)
	if err != nil {
		return nil // cannot happen, because every field can be encoded
	}
	return text
}

// recordCompleteAt returns the time from which a start needs no retained scan, because the bridge has then removed or confirmed everything that
// the first complete scan found.
func (d *savedDevices) recordCompleteAt() time.Time { return d.document.FirstScan.Add(foundLifetime) }

// add records additional announcements and topics that the broker retains of a device.
func (d *savedDevices) add(id string, added device) {
	recorded := d.document.Devices[id]
	d.set(id, device{Announced: recorded.Announced.Union(added.Announced), Topics: union(recorded.Topics, added.Topics)})
}

// set records what the broker retains of a device. It removes the device from the record if the broker retains nothing of it.
func (d *savedDevices) set(id string, retained device) {
	d.change(func(document *deviceDocument) {
		document.Devices[id] = retained
		if len(retained.Announced) == 0 && len(retained.Topics) == 0 {
			delete(document.Devices, id)
		}
	})
}

// syncTimeout is how long sync waits for the disk. A full disk must not stop publishing.
const syncTimeout = 2 * time.Second

// sync waits until the record is on disk, if there is a state file.
func (d *savedDevices) sync() {
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeout)
	defer cancel()
	d.store.Sync(ctx)
}

// topics returns the full topics of all retained values.
func (d *savedDevices) topics() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(d.document.Devices)) {
		prefix := d.document.Base + "/"
		if id != "" { // the topics of the bridge's own device have no id
			prefix += id + "/"
		}
		for _, t := range d.document.Devices[id].Topics {
			all = append(all, prefix+t)
		}
	}
	return all
}
