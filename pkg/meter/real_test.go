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

// realFolder has telegrams of real meters and their values from independent sources. Its README.md describes the files.
var realFolder = filepath.Join("testdata", "real")

const (
	// minIntact and minDamaged are the minimum numbers of intact and damaged telegrams in realFolder.
	minIntact, minDamaged = 92, 6
	// minRecords is the minimum number of compared records of all telegrams.
	minRecords = 1800
)

// A realTelegram is a telegram of realFolder with its description.
type realTelegram struct {
	telegram
	Source, Licence, Country, Meter, Framing string
	// Basis says where the values of the expected records are from.
	Basis string
	// Family is the family of the simulator that sends the same list in the same framing. It is "" if there is none.
	Family string
	// Damaged describes the damage of a telegram that must give no reading. It is "" for an intact telegram.
	Damaged string
}

// TestRealTelegrams tests that each intact telegram of realFolder gives the records of the independent source. Damaged telegrams must give no
// reading.
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

// TestRealFamilies tests that realFolder has an intact telegram of each family of the simulator, except for the families in
// familiesWithoutTelegram. A family must not be in both.
func TestRealFamilies(t *testing.T) {
	covered := map[string]bool{}
	for _, r := range realTelegrams(t) {
		covered[r.Family] = covered[r.Family] || r.Damaged == ""
	}
	delete(covered, "") // telegrams of meters that the simulator does not have
	for _, f := range simulate.Families() {
		reason := familiesWithoutTelegram[f.Name]
		if hasReason := reason != ""; covered[f.Name] == hasReason {
			t.Errorf("%s: got telegram in %s: %v, reason for no telegram: %q; want either a telegram or a reason", f.Name, realFolder, covered[f.Name], reason)
		}
		delete(covered, f.Name)
	}
	for name := range covered {
		t.Errorf("%s has a telegram of %q, which is not a family of the simulator", realFolder, name)
	}
}

// familiesWithoutTelegram has the families without an intact telegram in realFolder, and the reasons.
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
	severalLists = "the family sends several lists, and each list is tested as a separate family"
	noneKnown    = "no public capture is known"
	noKey        = "the public captures are encrypted, and their keys are not published"
	onlyDamaged  = "the public captures are damaged or truncated, or have a wrong checksum"
)

// TestRealDescriptions tests that each description has source, licence, country, meter, framing and basis, and that README.md lists each telegram.
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

// realTelegrams reads realFolder. It fails the test if a telegram has no description, or a description has no telegram.
func realTelegrams(t *testing.T) []realTelegram {
	t.Helper()
	entries, err := os.ReadDir(realFolder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{} // the extensions of the files, by the name without extension
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
		r.bytes = readTelegram(t, filepath.Join(realFolder, name), slices.Contains(extensions, ".hex"))
		all = append(all, r)
	}
	return all
}

// readJSON reads a file into v. It fails the test if the file has fields that v does not have.
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

// readTelegram reads the bytes of a telegram. name has no extension. If hexadecimal is true, the file is name.hex with hexadecimal digits. Otherwise
// it is name.txt with the bytes.
func readTelegram(t *testing.T, name string, hexadecimal bool) []byte {
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
	name  string
	bytes []byte
	// Key and AuthKey are the encryption key and the authentication key, in hexadecimal.
	Key     string
	AuthKey string `json:"auth_key"`
	// Checked is true if a checksum or an authentication tag covers the telegram.
	Checked bool
	// Time is the time in the header of the message in RFC 3339. It is "" if the header has no time.
	Time string
	// Expected are the records.
	Expected []expectation
}

// decoder returns a Decoder that reads the telegram and has its key. The Decoder accepts unverified telegrams, because a single telegram without
// a checksum cannot be verified.
func (tg *telegram) decoder(t *testing.T) *meter.Decoder {
	t.Helper()
	o := meter.Options{AcceptUnverified: true}
	if tg.Key != "" {
		o.Keys = []*dlms.Key{keyOf(t, tg.Key, tg.AuthKey)}
	}
	return meter.NewDecoder(bytes.NewReader(tg.bytes), o)
}

// keyOf returns a key from hexadecimal digits. If authentication is "", the key has no authentication key.
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
