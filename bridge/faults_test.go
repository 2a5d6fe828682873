package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// logged is what is looked at of a line of the log.
type logged struct {
	Message string `json:"message"`
	Error   string `json:"error"`
	Count   int    `json:"count"`
}

// lines reads a log.
func lines(t *testing.T, log *bytes.Buffer) (all []logged) {
	t.Helper()
	for dec := json.NewDecoder(log); ; {
		var l logged
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
}

func TestFaultsAreToldOnceAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var f faults
		log := zerolog.New(&out)
		warn := func(text string) { f.warn(log, "wire", text, errors.New(text), time.Second) }
		for range 601 { // the 601st is ten minutes after the first
			warn("gone")
			<-time.After(time.Second)
		}
		warn("denied")
		warn("denied")
		f.over()
		warn("denied")
		want := []logged{
			{"wire", "gone", 0},
			{"wire", "gone", 600},
			{"wire", "denied", 0},
			{"wire", "denied", 2},
		}
		if diff := cmp.Diff(want, lines(t, &out)); diff != "" {
			t.Error("log (-want +got):\n" + diff)
		}
	})
}

func TestFaultsOfOneKindMayDifferInText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var f faults
		for _, text := range []string{"at byte 17", "at byte 581"} {
			f.warn(zerolog.New(&out), "damaged", "", errors.New(text), 0)
		}
		if diff := cmp.Diff([]logged{{"damaged", "at byte 17", 0}}, lines(t, &out)); diff != "" {
			t.Error("log (-want +got):\n" + diff)
		}
	})
}
