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
)

// More captured telegrams than testdata/real has may stand beside the project, in these folders. They are not part of it.
var (
	sharedFolder    = filepath.Join("..", "..", "..", "shared")
	telegramsFolder = filepath.Join(sharedFolder, "telegrams")
)

// A capture is a captured telegram beside the project, with its description.
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
	odd      bool                       // from the folder of damaged telegrams
	wire     []byte
}

// name is the name of the file without extension.
func (c *capture) name() string { return strings.TrimSuffix(c.File, filepath.Ext(c.File)) }

// withoutKey reports whether the capture is encrypted and its key is not published.
func (c *capture) withoutKey() bool { return c.Cipher != nil && c.Key == "" }

// checked reports whether a checksum, or the tag of an encrypted capture, covers the telegram.
func (c *capture) checked() bool {
	if c.Cipher != nil {
		return c.AuthKey != ""
	}
	return c.CRC == "ok" || strings.HasPrefix(c.Check, "frames ok")
}

// damagedAt reports whether the checksum of the telegram at an offset is known to be wrong. An intact one may stand after it.
func (c *capture) damagedAt(offset int64) bool {
	bad := strings.HasPrefix(c.CRC, "bad") || strings.HasPrefix(c.Check, "frames ok 0/")
	return bad && offset == int64(bytes.IndexAny(c.wire, "/~\x68"))
}

// unread reports whether the capture has a protocol that the Decoder does not read: SML of German meters, TIC of French ones.
func (c *capture) unread() bool {
	return strings.HasPrefix(c.Framing, "SML") || strings.HasPrefix(c.Framing, "TIC")
}

// TestCaptures decodes every captured telegram beside the project, as TestRealTelegrams does. A telegram without a published
// key must give an error that names its system title. A damaged one must give no reading.
func TestCaptures(t *testing.T) {
	all := captures(t)
	decoded, values := 0, 0
	for _, c := range all {
		switch {
		case c.odd:
			checkOdd(t, c)
		case c.unread():
			if readings, _ := drain(c.telegram(t).decoder(t)); len(readings) != 0 {
				t.Errorf("%s: got %d readings of %s, want none", c.File, len(readings), c.Framing)
			}
		case undecodable[c.name()] != "":
			checkNoReading(t, c.telegram(t))
		case c.withoutKey():
			checkWithoutKey(t, c)
		default:
			decoded++
			values += checkTelegram(t, c.telegram(t)) + compareSource(t, c)
		}
	}
	if values < 3000 {
		t.Errorf("%d values compared, want at least 3000", values)
	}
	t.Logf("%d captures, %d decoded, %d values compared", len(all), decoded, values)
	for name := range maps.Keys(oddReadings) {
		if !slices.ContainsFunc(all, func(c *capture) bool { return c.odd && c.name() == name }) {
			t.Errorf("no capture odd/%s: oddReadings is out of date", name)
		}
	}
}

// checkWithoutKey requires errors that name the system title, and no reading.
func checkWithoutKey(t *testing.T, c *capture) {
	t.Helper()
	readings, all := drain(c.telegram(t).decoder(t))
	if len(readings) != 0 || len(all) == 0 {
		t.Errorf("%s: got %d readings and %d errors without a key", c.File, len(readings), len(all))
	}
	for _, e := range all {
		var encrypted *dlms.EncryptedError
		if !errors.As(e, &encrypted) || encrypted.Tried || hex.EncodeToString(encrypted.Title[:]) != c.Cipher.Title || !e.Intact {
			t.Errorf("%s: got %v (intact: %v), want an EncryptedError of %s", c.File, e, e.Intact, c.Cipher.Title)
		}
	}
}

// checkOdd requires as many readings as oddReadings says, none of them from a damaged telegram.
func checkOdd(t *testing.T, c *capture) {
	t.Helper()
	readings, _ := drain(c.telegram(t).decoder(t))
	if got, want := len(readings), oddReadings[c.name()]; got != want {
		t.Errorf("odd/%s: got %d readings, want %d", c.File, got, want)
	}
	for _, offset := range readings {
		if c.damagedAt(offset) {
			t.Errorf("odd/%s: got a reading of a telegram with a wrong checksum", c.File)
		}
	}
}

// captures reads all captures beside the project. Where their folder does not exist, the test is skipped.
func captures(t *testing.T) []*capture {
	t.Helper()
	if _, err := os.Stat(telegramsFolder); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(sharedFolder); err == nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s exists, but has no telegrams", sharedFolder)
		}
		t.Skipf("%s does not exist: only the telegrams of %s are tested", telegramsFolder, realFolder)
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
	c := &capture{odd: filepath.Base(filepath.Dir(file)) == "odd"}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, c)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	c.File = filepath.Base(c.File)
	c.wire = readWire(t, filepath.Join(filepath.Dir(file), c.name()), strings.HasSuffix(c.File, ".hex"))
	c.wire = bytes.ReplaceAll(c.wire, []byte("\\r\\n\\\r\n"), []byte("\r\n")) // line ends of a program's source text
	return c
}
