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

// An Instance tells this bridge from every other one that publishes to the same place, whatever their configurations say. Its mark is
// the id that the state keeps, a dot, and the number of this run, which is drawn at each start: so two bridges that began with copies of one
// state are told apart too. A nil Instance is that of a bridge without a state, which does not know what its earlier runs were called.
type Instance struct {
	mark string
	kept keptInstance
}

// keptInstance is the form in which it is kept.
type keptInstance struct {
	ID string `json:"id"`
	// Runs are the last runs, the newest last.
	Runs []string `json:"runs"`
}

const (
	instanceKey = "instance"
	// mostRuns is how many runs are remembered. Runs that end before their first telegram count too, so there must be many.
	mostRuns = 64
)

// newInstance draws the number of this run and stores it. It returns nil if the number cannot be stored: after a restart, the bridge would
// take its own messages of this run for those of another bridge.
func newInstance(store *state.Store) *Instance {
	i := &Instance{kept: instanceIn(store.Value(instanceKey))}
	i.kept.ID = cmp.Or(i.kept.ID, fmt.Sprintf("%016x", rand.Uint64()))
	run := fmt.Sprintf("%08x", rand.Uint32())
	i.kept.Runs = append(i.kept.Runs, run)
	i.kept.Runs = i.kept.Runs[max(0, len(i.kept.Runs)-mostRuns):]
	i.mark = i.kept.ID + "." + run
	text, err := json.Marshal(i.kept)
	if err != nil || !store.Save(instanceKey, text) { // nothing in it makes the first fail
		return nil
	}
	return i
}

func instanceIn(text []byte) (kept keptInstance) {
	if json.Unmarshal(text, &kept) != nil {
		return keptInstance{}
	}
	return kept
}

// StoredInstance returns the instance whose runs the state in dir knows, the newest being one that runs or did. It looks at the file
// without waiting for a bridge that has it open. It is nil where there is no state; an error says why what is there cannot be read.
func StoredInstance(dir string) (*Instance, error) {
	text, err := state.Peek(dir, instanceKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	i := &Instance{kept: instanceIn(text)}
	n := len(i.kept.Runs)
	if err != nil || n == 0 {
		return nil, err
	}
	i.mark = i.kept.ID + "." + i.kept.Runs[n-1]
	return i, nil
}

// Mark is that of this run; "" of a nil Instance.
func (i *Instance) Mark() string {
	if i == nil {
		return ""
	}
	return i.mark
}

// Owns reports whether a mark is that of this run or of an earlier one.
func (i *Instance) Owns(mark string) bool {
	if i == nil {
		return false
	}
	id, run, _ := strings.Cut(mark, ".")
	return id == i.kept.ID && slices.Contains(i.kept.Runs, run)
}
