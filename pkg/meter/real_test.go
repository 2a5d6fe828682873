package meter_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// realFolder holds telegrams of real meters and what independent sources say about them. Its README.md describes the files.
var realFolder = filepath.Join("testdata", "real")

const (
	// minIntact and minDamaged are how many intact and damaged telegrams realFolder must hold.
	minIntact, minDamaged = 92, 6
	// minRecords is how many records must be compared in all.
	minRecords = 1800
)

// A realTelegram is a telegram of realFolder with the description beside it.
type realTelegram struct {
	telegram
	Source, Licence, Country, Meter, Framing string
	// Basis says how the expected records are known.
	Basis string
	// Family is the family of the simulator that sends the same list in the same framing, "" where there is none.
	Family string
	// Damaged is what is wrong with a telegram that must give no reading, "" for an intact one.
	Damaged string
}

// TestRealTelegrams decodes each telegram of realFolder and compares every record with the independent source. Damaged
// telegrams must give no reading.
func TestRealTelegrams(t *testing.T) {
	intact, damaged, records := 0, 0, 0
	for _, r := range realTelegrams(t) {
		t.Run(r.name, func(t *testing.T) {
			if r.Damaged != "" {
				damaged++
				checkNoReading(t, &r.telegram)
				return
			}
			intact++
			records += checkTelegram(t, &r.telegram)
		})
	}
	if intact < minIntact || damaged < minDamaged || records < minRecords {
		t.Errorf("%s: got %d intact telegrams with %d records, and %d damaged telegrams; want at least %d, %d and %d",
			realFolder, intact, records, damaged, minIntact, minRecords, minDamaged)
	}
}

// TestRealFamilies requires a real telegram of each family of the simulator, or a reason why there is none.
func TestRealFamilies(t *testing.T) {
	covered := map[string]bool{}
	for _, r := range realTelegrams(t) {
		covered[r.Family] = covered[r.Family] || r.Damaged == ""
	}
	delete(covered, "") // telegrams of meters that the simulator does not have
	for _, f := range simulate.Families() {
		if reason := familiesWithoutTelegram[f.Name]; covered[f.Name] == (reason != "") {
			t.Errorf("%s: telegram in %s: %v, reason for none: %q; want a telegram or a reason, and not both", f.Name, realFolder, covered[f.Name], reason)
		}
		delete(covered, f.Name)
	}
	for name := range covered {
		t.Errorf("%q is no family of the simulator", name)
	}
}

// familiesWithoutTelegram are the families of the simulator of which realFolder has no intact telegram, each with the reason.
var familiesWithoutTelegram = map[string]string{
	"aidon-no": severalLists, "landisgyr-no": severalLists, "kaifa-no": severalLists, "kamstrup-no": severalLists, "iskra-si": severalLists,

	"aidon-se-1p": noneKnown, "aidon-no2-1p": noneKnown, "p1-se-aidon-1p": noneKnown, "kaifa-no3": noneKnown,
	"kamstrup-dk-plain": noneKnown, "landisgyr-no3": noneKnown, "landisgyr-si": noneKnown, "landisgyr-at-11": noneKnown,
	"landisgyr-at-wien": noneKnown, "iskra-at-wien": noneKnown, "siemens-at-wien": noneKnown, "siemens-at-wels": noneKnown,
	"iskra-si-celje-1p": noneKnown, "iskra-si-1p": noneKnown, "iskra-si-energies": noneKnown, "iskra-hr-28": noneKnown,
	"p1-fi-landisgyr": noneKnown, "p1-nl-4-kamstrup": noneKnown, "p1-lt": noneKnown, "p1-lt-early": noneKnown,
	"p1-lu": noneKnown,

	"iskra-at": noKey, "sagemcom-at": noKey, "p1-pl": noKey, "p1-pl-kaifa": noKey,

	"aidon-no2": onlyDamaged, "landisgyr-no3-zmf": onlyDamaged, "kaifa-at-vkw": onlyDamaged, "p1-se-iskra": onlyDamaged,
	"p1-nl-4-iskra": onlyDamaged, "p1-nl-heat": onlyDamaged, "p1-hu-d545": onlyDamaged, "p1-hu-sanxing": onlyDamaged, "p1-ch": onlyDamaged, "p1-hr": onlyDamaged, "p1-pl-plain": onlyDamaged,
}

const (
	severalLists = "the family sends several lists in turn, and each list is tested as a family of its own"
	noneKnown    = "no public capture is known"
	noKey        = "the public captures are encrypted, and their keys are not published"
	onlyDamaged  = "the public captures are damaged, cut, or have a checksum that does not fit"
)

// TestRealDescriptions requires that each description names its source, licence, country, meter, framing and basis.
func TestRealDescriptions(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(realFolder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range realTelegrams(t) {
		if slices.Contains([]string{r.Source, r.Licence, r.Country, r.Meter, r.Framing, r.Basis}, "") {
			t.Errorf("%s.json: source, licence, country, meter, framing and basis must not be empty", r.name)
		}
		if !bytes.Contains(readme, []byte("| "+r.name+" |")) {
			t.Errorf("README.md has no row for %s", r.name)
		}
	}
}

// realTelegrams reads realFolder. A telegram without a description, or a description without a telegram, fails the test.
func realTelegrams(t *testing.T) []realTelegram {
	t.Helper()
	entries, err := os.ReadDir(realFolder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{} // by name, their extensions
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".md" {
			name := strings.TrimSuffix(e.Name(), ext)
			files[name] = append(files[name], ext)
		}
	}
	var all []realTelegram
	for _, name := range slices.Sorted(maps.Keys(files)) {
		extensions := files[name]
		if len(extensions) != 2 || !slices.Contains(extensions, ".json") {
			t.Fatalf("%s: got files %v, want .json and one of .txt and .hex", name, extensions)
		}
		r := realTelegram{telegram: telegram{name: name}}
		readJSON(t, filepath.Join(realFolder, name+".json"), &r)
		r.wire = readWire(t, filepath.Join(realFolder, name), slices.Contains(extensions, ".hex"))
		all = append(all, r)
	}
	return all
}

// readJSON reads a file and refuses fields that v does not have.
func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// readWire reads the bytes of a telegram: NAME.txt as they are, NAME.hex from hexadecimal digits.
func readWire(t *testing.T, name string, hexadecimal bool) []byte {
	t.Helper()
	ext := ".txt"
	if hexadecimal {
		ext = ".hex"
	}
	b, err := os.ReadFile(name + ext)
	if err == nil && hexadecimal {
		b, err = hex.DecodeString(strings.Join(strings.Fields(string(b)), ""))
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// A telegram is the input of a test of the Decoder, with the expected output.
type telegram struct {
	name string
	wire []byte
	// Key and AuthKey are the encryption key and the authentication key, in hexadecimal.
	Key     string
	AuthKey string `json:"auth_key"`
	// Checked is true if a checksum or an authentication tag covers the telegram.
	Checked bool
	// Time is the time in the header of the message, RFC 3339. It is "" if the message has the time only in a record, or nowhere.
	Time string
	// Expected are the records.
	Expected []expectation
}

// decoder returns a Decoder of the telegram with its key. It accepts unverified telegrams, because a telegram without a checksum is verified only
// by an earlier one with the same codes, and here there is only one telegram.
func (tg *telegram) decoder(t *testing.T) *meter.Decoder {
	t.Helper()
	o := meter.Options{AcceptUnverified: true}
	if tg.Key != "" {
		o.Keys = []*dlms.Key{keyOf(t, tg.Key, tg.AuthKey)}
	}
	return meter.NewDecoder(bytes.NewReader(tg.wire), o)
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
