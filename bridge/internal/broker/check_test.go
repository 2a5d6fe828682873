package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

func TestCheck(t *testing.T) {
	const good, bad = "hanbridge/check", "homeassistant/check"
	for name, tc := range map[string]struct {
		rule func(*serverHook)
		word string // in what is denied; "" if nothing is
		kept bool
	}{
		"all well": {func(*serverHook) {}, "", true},
		"may not publish": {
			func(d *serverHook) { d.may = func(topic string, write bool) bool { return !write || topic == good } },
			bad + " was published (may this user publish there?)", true,
		},
		"keeps nothing": {func(d *serverHook) { d.Options.Capabilities.RetainAvailable = 0 }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tc.rule)
			bridge := config(s.url)
			bridge.Will = broker.Message{} // a broker without retained messages refuses a retained will
			running := dial(t, bridge)
			report, err := broker.Check(t.Context(), config(s.url), nil, good, bad)
			if err != nil {
				t.Fatal(err)
			}
			if report.RetainAvailable != tc.kept {
				t.Errorf("retains: got %v, want %v", report.RetainAvailable, tc.kept)
			}
			if text := fmt.Sprint(report.Denied); len(report.Denied) > 1 || (len(report.Denied) == 0) != (tc.word == "") || !strings.Contains(text, tc.word) {
				t.Errorf("denied: got %v, want one error with %q in it", report.Denied, tc.word)
			}
			for _, topic := range []string{good, bad} {
				if kept, ok := s.Topics.Retained.Get(topic); ok && len(kept.Payload) > 0 {
					t.Errorf("%q is left under %s", kept.Payload, topic)
				}
			}
			if err := running.Err(); err != nil {
				t.Errorf("the running bridge was disturbed: %v", err)
			}
		})
	}
}
