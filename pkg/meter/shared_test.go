package meter_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// Captured telegrams are no part of the project. They are found beside it, where somebody has put them.
var (
	sharedFolder    = filepath.Join("..", "..", "..", "shared")
	telegramsFolder = filepath.Join(sharedFolder, "telegrams")
)

// A capture is what the file beside a captured telegram says about it.
type capture struct {
	File, Country, Meter, Framing, Check string
	CRC                                  string `json:"crc16_arc"`
	Time                                 string `json:"notification_time"`
	Cipher                               *struct {
		Title string `json:"system_title"`
	}
	Key      string
	AuthKey  string `json:"auth_key"`
	Expected map[string]json.RawMessage
	BySource map[string]json.RawMessage `json:"expected_by_source"`
	odd      bool
	wire     []byte
}

// name is that of the file, without what follows the point.
func (c *capture) name() string { return strings.TrimSuffix(c.File, filepath.Ext(c.File)) }

// locked tells that the capture is encrypted, and nobody has published its key.
func (c *capture) locked() bool { return c.Cipher != nil && c.Key == "" }

// damaged tells that the checksum of what begins at a place is known to be wrong. Behind a cut telegram a good one may stand.
func (c *capture) damaged(offset int64) bool {
	bad := strings.HasPrefix(c.CRC, "bad") || strings.HasPrefix(c.Check, "frames ok 0/")
	return bad && offset == int64(bytes.IndexAny(c.wire, "/~\x68"))
}

// unread tells that the capture is of a protocol that the Decoder does not read: SML of German meters, TIC of French ones.
func (c *capture) unread() bool {
	return strings.HasPrefix(c.Framing, "SML") || strings.HasPrefix(c.Framing, "TIC")
}

// decoder returns one that has the key of the capture.
func (c *capture) decoder(t *testing.T) *meter.Decoder {
	t.Helper()
	o := meter.Options{AcceptUnverified: true}
	if c.Key != "" {
		o.Keys = []*dlms.Key{keyOf(t, c.Key, c.AuthKey)}
	}
	return meter.NewDecoder(bytes.NewReader(c.wire), o)
}

// keyOf makes a key of hexadecimal digits; authentication may be "".
func keyOf(t *testing.T, encryption, authentication string) *dlms.Key {
	t.Helper()
	e, err := hex.DecodeString(encryption)
	if err != nil {
		t.Fatal(err)
	}
	var a []byte
	if authentication != "" {
		if a, err = hex.DecodeString(authentication); err != nil {
			t.Fatal(err)
		}
	}
	k, err := dlms.NewKey(e, a)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestCaptures decodes every captured telegram and compares each value with what an independent decoder read. What nobody
// can read gives errors of the right kind, and what is damaged gives no reading.
func TestCaptures(t *testing.T) {
	all := captures(t)
	score := tally{}
	compared := 0
	for _, c := range all {
		switch {
		case c.odd:
			checkOdd(t, c)
		case c.unread():
			score.add(c, false)
			checkUnread(t, c)
		case misses[c.name()] != "":
			score.add(c, false)
			checkMissed(t, c)
		case c.locked():
			score.add(c, false)
			checkLocked(t, c)
		default:
			score.add(c, true)
			compared += checkReading(t, c)
		}
	}
	if compared < 3000 {
		t.Errorf("%d values compared: the test looks at too little", compared)
	}
	t.Logf("%d captures, %d values compared\n%s", len(all), compared, score)
	for _, name := range slices.Sorted(maps.Keys(misses)) {
		t.Logf("not decoded: %s: %s", name, misses[name])
	}
	for name := range maps.Keys(odds) {
		if !slices.ContainsFunc(all, func(c *capture) bool { return c.odd && c.name() == name }) {
			t.Errorf("no capture odd/%s: the table of good ones is out of date", name)
		}
	}
}

func captures(t *testing.T) []*capture {
	t.Helper()
	if _, err := os.Stat(telegramsFolder); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(sharedFolder); err == nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is there, but no telegrams in it", sharedFolder)
		}
		t.Skipf("no captured telegrams in %s: nothing to compare with", telegramsFolder)
	}
	var out []*capture
	for _, folder := range []string{telegramsFolder, filepath.Join(telegramsFolder, "odd")} {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if filepath.Base(file) != "index.json" {
				out = append(out, readCapture(t, file))
			}
		}
	}
	return out
}

func readCapture(t *testing.T, file string) *capture {
	t.Helper()
	about, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &capture{odd: filepath.Base(filepath.Dir(file)) == "odd"}
	if err := json.Unmarshal(about, c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	c.File = filepath.Base(c.File)
	c.wire, err = os.ReadFile(filepath.Join(filepath.Dir(file), c.File))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(c.File, ".hex") {
		c.wire, err = hex.DecodeString(strings.Join(strings.Fields(string(c.wire)), ""))
		if err != nil {
			t.Fatalf("%s: %v", c.File, err)
		}
	}
	c.wire = bytes.ReplaceAll(c.wire, []byte("\\r\\n\\\r\n"), []byte("\r\n")) // text of a program, as bridge/source takes it
	return c
}
