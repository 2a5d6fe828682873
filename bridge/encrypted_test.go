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

// key returns a key that consists of 16 bytes x. Its authentication key consists of 16 bytes x+1.
func key(t *testing.T, x byte) *dlms.Key {
	t.Helper()
	k, err := dlms.NewKey(bytes.Repeat([]byte{x}, 16), bytes.Repeat([]byte{x + 1}, 16))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyWithWrongAuth returns the same key as the function key, with another authentication key.
func keyWithWrongAuth(t *testing.T, x byte) *dlms.Key {
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

const systemTitle = "KAME\x01\x02\x03\x04"

// TestEncryptedWithoutKey checks that telegrams that no key decrypts are logged together with advice. There is a line at once,
// and another one after ten minutes.
func TestEncryptedWithoutKey(t *testing.T) {
	wrongAuth := []*dlms.Key{keyWithWrongAuth(t, 1)}
	tests := []struct {
		name    string
		setting string // name of the setting for the key
		auth    string // name of the setting for the authentication key; "" if it has none
		keys    []*dlms.Key
		want    string
	}{
		{"no key", "meters[0].key", "", nil, "telegram is encrypted (system title KAME…): set meters[0].key; your grid company gives it to you"},
		{"no key, and the setting is an environment variable", "HANBRIDGE_METER_KEY", "", nil, "set HANBRIDGE_METER_KEY; your grid company"},
		{"wrong key", "meters[0].key", "", []*dlms.Key{key(t, 7)}, "the key does not fit: compare meters[0].key with what your grid company gave you " +
			"(if you were given two keys, the key and the authentication key are possibly swapped)"},
		{"wrong authentication key", "meters[0].key", "meters[0].auth_key", wrongAuth, "and the key fits, but its authentication key does not: compare meters[0].auth_key with " +
			"what your grid company gave you, or leave it out: then telegrams are not authenticated, so values are published only after a second telegram has confirmed the first"},
		{"wrong authentication key whose setting has no name", "", "", wrongAuth, "does not: compare it with"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rightKey := key(t, 1)
				ports := []*port{{}, {}}
				var rec recorder
				s := sourceOf(ports...)
				s.Options = meter.Options{Keys: tt.keys}
				running := runMeter(t, bridge.Meter{ID: "house", KeySetting: tt.setting, AuthKeySetting: tt.auth}, s, &rec)
				defer running.end()
				for i := range uint32(100) {
					ports[0].send(encryptedTelegram(rightKey, systemTitle, i, 1727))
					advance(10 * time.Second)
				}
				if got := running.countLines(tt.want); got != 2 { // at once, and after ten minutes
					t.Errorf("%q is logged %d times in a quarter of an hour, want twice:\n%s", tt.want, got, running.log)
				}
				if got := running.countLines("warn"); got != 2 {
					t.Errorf("the log has %d warnings, want these 2:\n%s", got, running.log)
				}
				if got := running.countLines(`"count":60`); got != 1 {
					t.Errorf("the second line does not have the count of 60 telegrams:\n%s", running.log)
				}
				if strings.Contains(running.log.String(), "01020304") || strings.Contains(running.log.String(), "\\u0001") {
					t.Errorf("the log has the serial number in the system title:\n%s", running.log)
				}
				if got, other := len(ports[0].dials()), len(ports[1].dials()); got != 1 || other != 0 {
					t.Errorf("got %d dials of the port and %d of the other one, want 1 and 0, because no other setting is tried after intact telegrams", got, other)
				}
				rec.inspect(func(rec *recorder) {
					if rec.stats.Telegrams != 0 || rec.stats.Errors < 90 || strings.Contains(strings.Join(rec.states, " "), "online") {
						t.Errorf("got %+v, states %q, want errors counted, and never online", rec.stats, rec.states)
					}
				})
			})
		})
	}
}

// TestDecryption checks that telegrams are decrypted with the second of two keys, and that telegrams whose frame counter does not rise are
// counted.
func TestDecryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rightKey := key(t, 1)
		var p port
		var rec recorder
		s := sourceOf(&p)
		s.Options = meter.Options{Keys: []*dlms.Key{key(t, 7), key(t, 1)}}
		running := run(t, s, &rec)
		defer running.end()
		for _, counter := range []uint32{5, 6, 6, 3, 7} { // two of them do not rise
			p.send(encryptedTelegram(rightKey, systemTitle, counter, 1727))
			advance(30 * time.Minute)
		}
		rec.inspect(func(rec *recorder) {
			if rec.values["import_power"] != "1727" || rec.stats.Repeated != 2 || rec.stats.Telegrams != 5 {
				t.Errorf("got %s W, %+v, want 1727 W, 5 telegrams of which 2 repeat a frame counter", rec.values["import_power"], rec.stats)
			}
		})
		if got := running.countLines(`"repeated":2,"message":"all is well"`); got == 0 {
			t.Errorf("the hourly line does not have the count of repeated telegrams:\n%s", running.log)
		}
	})
}

// TestRejectRepeated checks that repeated telegrams are dropped with the option RejectRepeated, and are not logged as damaged.
func TestRejectRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(port)
		s := sourceOf(p)
		s.Options = meter.Options{Keys: []*dlms.Key{simulate.Key()}, RejectRepeated: true}
		rec := new(recorder)
		running := run(t, s, rec)
		defer running.end()
		synctest.Wait()
		telegram := nextTelegram(newMeter(t, "kamstrup-dk"))
		for range 3 {
			p.send(telegram)
			advance(10 * time.Second)
		}
		if got := rec.telegramCount(); got != 1 {
			t.Errorf("got %d telegrams published, want 1", got)
		}
		if got := strings.Count(running.log.String(), "old frame counter dropped, as frame_counter: rising says"); got != 1 {
			t.Errorf("logged %d times, want once:\n%s", got, running.log)
		}
	})
}
