package bridge

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// An Instance identifies a bridge among all bridges that publish to the same broker, whatever their configurations are. Its mark is the id in
// the state, a dot, and the number of this run. The number is random, so two bridges that began with copies of one state have different
// marks. A bridge without a state has a nil Instance, since it cannot recognise its earlier runs. An Instance is safe for concurrent use.
type Instance struct {
	mark   string
	stored storedInstance
}

// storedInstance is the document of an Instance in the state.
type storedInstance struct {
	ID string `json:"id"`
	// Runs are the numbers of the last runs, the newest last.
	Runs []string `json:"runs"`
}

const (
	instanceKey = "instance"
	// maxRuns is how many runs are stored. It is large because runs that end before their first telegram count too.
	maxRuns = 64
)

// newInstance chooses the number of this run and stores it. It returns nil if the number cannot be stored: after a restart, the bridge would take
// its own messages of this run for messages of another bridge.
func newInstance(store *state.Store) *Instance {
	i := &Instance{stored: decodeInstance(store.Value(instanceKey))}
	i.stored.ID = cmp.Or(i.stored.ID, fmt.Sprintf("%016x", rand.Uint64()))
	run := fmt.Sprintf("%08x", rand.Uint32())
	i.stored.Runs = append(i.stored.Runs, run)
	i.stored.Runs = i.stored.Runs[max(0, len(i.stored.Runs)-maxRuns):]
	i.mark = i.stored.ID + "." + run
	text, err := json.Marshal(i.stored)
	if err != nil || !store.Save(instanceKey, text) { // Marshal cannot fail here
		return nil
	}
	return i
}

// decodeInstance returns the zero value if the text is not valid.
func decodeInstance(text []byte) (stored storedInstance) {
	if json.Unmarshal(text, &stored) != nil {
		return storedInstance{}
	}
	return stored
}

// StoredInstance returns the Instance in the state in dir, with the mark of the newest run, which may have ended. It does not wait for a bridge
// that uses the folder. It returns nil if there is no state, and an error if the state cannot be read.
func StoredInstance(dir string) (*Instance, error) {
	text, err := state.Peek(dir, instanceKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	i := &Instance{stored: decodeInstance(text)}
	n := len(i.stored.Runs)
	if err != nil || n == 0 {
		return nil, err
	}
	i.mark = i.stored.ID + "." + i.stored.Runs[n-1]
	return i, nil
}

// Mark returns the mark of this run; "" for a nil Instance.
func (i *Instance) Mark() string {
	if i == nil {
		return ""
	}
	return i.mark
}

// Owns reports whether a mark is that of this run, or of an earlier run in the state. A nil Instance owns no mark.
func (i *Instance) Owns(mark string) bool {
	if i == nil {
		return false
	}
	id, run, _ := strings.Cut(mark, ".")
	return id == i.stored.ID && slices.Contains(i.stored.Runs, run)
}
