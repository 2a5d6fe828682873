package broker_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

func TestCheck(t *testing.T) {
	const good, bad = "hanbridge/check", "homeassistant/check"
	for name, tc := range map[string]struct {
		rule func(*door)
		want []broker.Finding
		word string // in the error of the second finding
		kept bool
	}{
		"all well": {
			func(*door) {},
			[]broker.Finding{{Topic: good, Publish: true, Retain: true}, {Topic: bad, Publish: true, Retain: true}}, "", true,
		},
		"may not publish": {
			func(d *door) { d.may = func(topic string, write bool) bool { return !write || topic == good } },
			[]broker.Finding{{Topic: good, Publish: true, Retain: true}, {Topic: bad}}, "may this user publish there?", true,
		},
		"keeps nothing": {
			func(d *door) { d.Options.Capabilities.RetainAvailable = 0 },
			[]broker.Finding{{Topic: good, Publish: true}, {Topic: bad, Publish: true}}, "", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tc.rule)
			bridge := config(s.url)
			bridge.Will = broker.Message{} // a broker that keeps nothing refuses a retained will
			running := dial(t, bridge)
			report, err := broker.Check(t.Context(), config(s.url), nil, good, bad)
			if err != nil {
				t.Fatal(err)
			}
			got := report.Findings
			if report.Retains != tc.kept {
				t.Errorf("retains: got %v, want %v", report.Retains, tc.kept)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(broker.Finding{}, "Err")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if err := got[1].Err; (err == nil) != (tc.word == "") || err != nil && !strings.Contains(err.Error(), tc.word) {
				t.Errorf("error of the second: got %v, want %q in it", err, tc.word)
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
