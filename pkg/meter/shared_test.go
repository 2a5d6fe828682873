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

// Folders with further captured telegrams. They are outside the project, and do not exist on every machine.
var (
	sharedFolder    = filepath.Join("..", "..", "..", "shared")
	telegramsFolder = filepath.Join(sharedFolder, "telegrams")
)

// A capture is a telegram of telegramsFolder with its description. The exported fields are those of its JSON file. Expected are the values that the
// reference decoder read. BySource are values that were published with the capture.
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
	isOdd    bool                       // true if the capture is from the folder odd, which has damaged and unusual telegrams
	bytes    []byte
}

// name returns the name of the file without its extension.
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

// damagedAt reports whether the description says that the telegram at an offset has a wrong checksum. The description is about the first telegram
// of a file.
func (c *capture) damagedAt(offset int64) bool {
	wrongChecksum := strings.HasPrefix(c.CRC, "bad") || strings.HasPrefix(c.Check, "frames ok 0/")
	const starts = "/~\x68" // of ASCII telegrams, HDLC frames and M-Bus frames
	return wrongChecksum && offset == int64(bytes.IndexAny(c.bytes, starts))
}

// unsupported reports whether the capture has a protocol that the Decoder does not read: SML of German meters or TIC of French meters.
func (c *capture) unsupported() bool {
	return strings.HasPrefix(c.Framing, "SML") || strings.HasPrefix(c.Framing, "TIC")
}

// TestCaptures tests that each capture gives the values of independent sources, like TestRealTelegrams. An encrypted capture without a published key
// must give an error with its system title.
func TestCaptures(t *testing.T) {
	all := captures(t)
	decoded, values := 0, 0
	for _, c := range all {
		switch {
		case c.isOdd:
			checkOdd(t, c)
		case c.unsupported():
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
	if values < 3000 { // then captures or their values are missing
		t.Errorf("got %d compared values, want at least 3000", values)
	}
	t.Logf("%d captures, %d decoded, %d values compared", len(all), decoded, values)
	for name := range maps.Keys(oddReadings) {
		if !slices.ContainsFunc(all, func(c *capture) bool { return c.isOdd && c.name() == name }) {
			t.Errorf("oddReadings has %s, but there is no such capture in the folder odd", name)
		}
	}
}

// checkWithoutKey tests that an encrypted capture without a key gives errors with its system title, and no reading.
func checkWithoutKey(t *testing.T, c *capture) {
	t.Helper()
	readings, errs := drain(c.telegram(t).decoder(t))
	if len(readings) != 0 || len(errs) == 0 {
		t.Errorf("%s, without a key: got %d readings and %d errors, want only errors", c.File, len(readings), len(errs))
	}
	for _, e := range errs {
		var encrypted *dlms.EncryptedError
		if !errors.As(e, &encrypted) || encrypted.Tried || hex.EncodeToString(encrypted.Title[:]) != c.Cipher.Title || !e.Intact {
			t.Errorf("%s: got %v (intact: %v), want an EncryptedError of %s", c.File, e, e.Intact, c.Cipher.Title)
		}
	}
}

// checkOdd tests that a capture of the folder odd gives as many readings as oddReadings says, and none of a damaged telegram.
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

// captures reads all captures. If their folder does not exist, it skips the test.
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

// readCapture reads the description of a capture, and the telegram in the same folder.
func readCapture(t *testing.T, file string) *capture {
	t.Helper()
	c := &capture{isOdd: filepath.Base(filepath.Dir(file)) == "odd"}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, c)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	c.File = filepath.Base(c.File)
	c.bytes = readTelegram(t, filepath.Join(filepath.Dir(file), c.name()), strings.HasSuffix(c.File, ".hex"))
	c.bytes = bytes.ReplaceAll(c.bytes, []byte("\\r\\n\\\r\n"), []byte("\r\n")) // some captures are from source code, with \r\n and \ at each line end
	return c
}
