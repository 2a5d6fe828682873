package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TestCheck tests what Check reports about access rules and retained messages. Check must remove its retained messages and must not disturb
// a running bridge.
func TestCheck(t *testing.T) {
	const allowed, denied = "hanbridge/check", "homeassistant/check"
	for name, tc := range map[string]struct {
		rule       func(*serverHook)
		wantDenied string // part of the error in Denied; "" if there is none
		retain     bool
	}{
		"no rule": {func(*serverHook) {}, "", true},
		"publishing is forbidden": {
			func(d *serverHook) {
				d.permits = func(topic string, write bool) bool { return !write || topic == allowed }
			},
			denied + " was published (is this user allowed to publish there?)", true,
		},
		"no retained messages": {func(d *serverHook) { d.Options.Capabilities.RetainAvailable = 0 }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tc.rule)
			bridge := config(s.url)
			bridge.Will = broker.Message{} // a broker without retained messages refuses a retained will
			running := dial(t, bridge)
			report, err := broker.Check(t.Context(), config(s.url), nil, allowed, denied)
			if err != nil {
				t.Fatal(err)
			}
			if report.RetainAvailable != tc.retain {
				t.Errorf("RetainAvailable: got %v, want %v", report.RetainAvailable, tc.retain)
			}
			wantErrors := 1
			if tc.wantDenied == "" {
				wantErrors = 0
			}
			if len(report.Denied) != wantErrors || !strings.Contains(fmt.Sprint(report.Denied), tc.wantDenied) {
				t.Errorf("denied: got %v, want %d errors with %q in them", report.Denied, wantErrors, tc.wantDenied)
			}
			for _, topic := range []string{allowed, denied} {
				if retained, ok := s.Topics.Retained.Get(topic); ok && len(retained.Payload) > 0 {
					t.Errorf("%q is still retained under %s", retained.Payload, topic)
				}
			}
			if err := running.Err(); err != nil {
				t.Errorf("the running bridge was disturbed: %v", err)
			}
		})
	}
}
