package probe_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// slowHandler is a Handler that takes a second for each telegram. It records when the telegrams arrived.
type slowHandler struct {
	recorder
	received []time.Duration // since began
}

func (h *slowHandler) Reading(_ context.Context, r *meter.Reading) bool {
	h.received = append(h.received, r.Received.Sub(h.began))
	<-time.After(time.Second)
	return false
}

// TestPauses tests which pauses a message in several frames survives, and that Received is when the last byte arrived. A pause of the line of half a
// second ends the message. A pause of the program does not, because bytes can arrive in this time.
func TestPauses(t *testing.T) {
	message := telegramOf(t, "iskra-ch")
	first := hdlc.Length(message)
	if first <= 0 || first >= len(message) {
		t.Fatalf("the first frame has %d bytes of %d, want several frames", first, len(message))
	}
	const ms = time.Millisecond
	for _, tt := range []struct {
		name       string
		deliveries []delivery
		want       []time.Duration
	}{
		{"a pause of 499 ms", []delivery{{10 * ms, message[:first]}, {499 * ms, message[first:]}}, []time.Duration{509 * ms}},
		{"a pause of 500 ms", []delivery{{10 * ms, message[:first]}, {500 * ms, message[first:]}}, nil},
		{"a handler that takes a second within a message", []delivery{{10 * ms, append(message[:len(message):len(message)], message[:first]...)}, {0, message[first:]}},
			[]time.Duration{10 * ms, 1010 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &slowHandler{recorder: recorder{began: time.Now(), maxEnds: 1}}
				probe.Probe(t.Context(), probe.Source{Recorded: true, Endpoints: probe.Fixed(endpoint("", io.EOF, tt.deliveries...))}, probe.Options{}, h)
				if !slices.Equal(h.received, tt.want) {
					t.Errorf("got telegrams received after %v, want %v", h.received, tt.want)
				}
			})
		})
	}
}
