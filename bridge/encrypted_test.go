package bridge_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// key returns a key of 16 bytes x, with an authentication key.
func key(t *testing.T, x byte) *dlms.Key {
	t.Helper()
	k, err := dlms.NewKey(bytes.Repeat([]byte{x}, 16), bytes.Repeat([]byte{x + 1}, 16))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyWithOtherAuth returns the same key with another authentication key.
func keyWithOtherAuth(t *testing.T, x byte) *dlms.Key {
	t.Helper()
	k, err := dlms.NewKey(bytes.Repeat([]byte{x}, 16), bytes.Repeat([]byte{x}, 16))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// encryptedTelegram returns an encrypted telegram with import_power.
func encryptedTelegram(k *dlms.Key, title string, counter uint32, watts int64) []byte {
	plain := dlms.AppendArray(dlms.AppendNotification(nil, 1), 1)
	plain = dlms.AppendLogicalName(dlms.AppendStructure(plain, 3), obis.Code{1, 0, 1, 7, 0, obis.Any})
	plain = dlms.AppendScalerUnit(dlms.AppendNumber(plain, dlms.Uint32, watts), 0, obis.Watt)
	const encryptedAndAuthentic = 0x30
	info := dlms.AppendCiphered([]byte(dlms.LLC), k, []byte(title), encryptedAndAuthentic, counter, plain)
	return hdlc.Append(nil, hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x03}, Control: 0x13, Info: info})
}

const title = "KAME\x01\x02\x03\x04"

// TestEncryptedWithoutKey checks that telegrams that no key decrypts are logged with what to do, at once and after ten minutes.
func TestEncryptedWithoutKey(t *testing.T) {
	half := []*dlms.Key{keyWithOtherAuth(t, 1)}
	tests := []struct {
		name    string
		setting string
		auth    string
		keys    []*dlms.Key
		want    string
	}{
		{"no key", "meters[0].key", "", nil, "telegram is encrypted (system title KAME…): set meters[0].key; your grid company gives it to you"},
		{"no key, no file", "HANBRIDGE_METER_KEY", "", nil, "set HANBRIDGE_METER_KEY; your grid company"},
		{"another key", "meters[0].key", "", []*dlms.Key{key(t, 7)}, "the key does not fit: compare meters[0].key with what your grid company gave you " +
			"(where it gave two, key and authentication key may be swapped)"},
		{"another authentication key", "meters[0].key", "meters[0].auth_key", half, "and the key fits, but its authentication key does not: compare meters[0].auth_key with " +
			"what your grid company gave you, or leave it out: then values are read, but nothing proves them, so that they are published after two alike"},
		{"another authentication key somewhere", "", "", half, "does not: compare it with"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				right := key(t, 1)
				ports := []*port{{}, {}}
				var n recorder
				s := source(ports...)
				s.Options = meter.Options{Keys: tt.keys}
				h := runMeter(t, bridge.Meter{ID: "house", KeySetting: tt.setting, AuthKeySetting: tt.auth}, s, &n)
				defer h.end()
				for i := range uint32(100) {
					ports[0].send(encryptedTelegram(right, title, i, 1727))
					advance(10 * time.Second)
				}
				if got := h.countLines(tt.want); got != 2 { // at once, and after ten minutes
					t.Errorf("%q is logged %d times in a quarter of an hour, want twice:\n%s", tt.want, got, h.log)
				}
				if got := h.countLines("warn"); got != 2 {
					t.Errorf("the log has %d warnings, want these 2:\n%s", got, h.log)
				}
				if got := h.countLines(`"count":60`); got != 1 {
					t.Errorf("the second does not count 60 telegrams:\n%s", h.log)
				}
				if strings.Contains(h.log.String(), "01020304") || strings.Contains(h.log.String(), "\\u0001") {
					t.Errorf("the log has the meter's number:\n%s", h.log)
				}
				if got := len(ports[0].dials()); got != 1 || len(ports[1].dials()) != 0 {
					t.Errorf("opened %d times: want once: the telegrams are intact, so no other setting is tried", got)
				}
				n.inspect(func(n *recorder) {
					if n.stats.Telegrams != 0 || n.stats.Errors < 90 || strings.Contains(strings.Join(n.states, " "), "online") {
						t.Errorf("got %+v, %q, want errors counted, and never online", n.stats, n.states)
					}
				})
			})
		})
	}
}

// TestDecryption checks that telegrams are decrypted with the second key, and that frame counters that do not rise are counted.
func TestDecryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		right := key(t, 1)
		var p port
		var n recorder
		s := source(&p)
		s.Options = meter.Options{Keys: []*dlms.Key{key(t, 7), key(t, 1)}}
		h := run(t, s, &n)
		defer h.end()
		for _, counter := range []uint32{5, 6, 6, 3, 7} { // two do not rise
			p.send(encryptedTelegram(right, title, counter, 1727))
			advance(30 * time.Minute)
		}
		n.inspect(func(n *recorder) {
			if n.values["import_power"] != "1727" || n.stats.Repeated != 2 || n.stats.Telegrams != 5 {
				t.Errorf("got %s, %+v, want 1727, 5 telegrams of which 2 repeat a frame counter", n.values["import_power"], n.stats)
			}
		})
		if got := h.countLines(`"repeated":2,"message":"all is well"`); got == 0 {
			t.Errorf("the hourly line does not name the count:\n%s", h.log)
		}
	})
}

// TestRejectRepeated checks that repeated telegrams are dropped with the option RejectRepeated, and are not logged as damaged.
func TestRejectRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(port)
		s := source(p)
		s.Options = meter.Options{Keys: []*dlms.Key{simulate.Key()}, RejectRepeated: true}
		n := new(recorder)
		h := run(t, s, n)
		defer h.end()
		synctest.Wait()
		telegram := nextTelegram(newMeter(t, "kamstrup-dk"))
		for range 3 {
			p.send(telegram)
			advance(10 * time.Second)
		}
		if got := n.telegramCount(); got != 1 {
			t.Errorf("%d telegrams are published, want 1", got)
		}
		if got := strings.Count(h.log.String(), "old frame counter dropped, as frame_counter: rising says"); got != 1 {
			t.Errorf("logged %d times, want once:\n%s", got, h.log)
		}
	})
}
