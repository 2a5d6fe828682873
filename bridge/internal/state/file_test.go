package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// documents returns the documents of a bridge with five meters. In the document of each meter, value is repeated a different number of times.
func documents(value string) map[string]string {
	v := map[string]string{"instance": `{"id":"0123456789abcdef","runs":["01234567"]}`, "mqtt": `{"devices":{}}`}
	for i := range 5 {
		v[fmt.Sprintf("meter/%d", i)] = fmt.Sprintf(`{"counters":[{"quantity":"import_energy","value":"%s"}]}`, strings.Repeat(value, 10+i))
	}
	return v
}

// writtenFiles returns the content of the file, which has documents("2"), and of the previous file, which has documents("1").
func writtenFiles(t *testing.T) (current, previous []byte) {
	t.Helper()
	dir := writtenState(t, documents("1"), documents("2"))
	current, err := os.ReadFile(filepath.Join(dir, state.FileName))
	must(t, err)
	previous, err = os.ReadFile(filepath.Join(dir, state.PreviousName))
	must(t, err)
	return current, previous
}

// folderWith creates a folder with a state file and a previous file. If a content is nil, there is no such file.
func folderWith(t *testing.T, current, previous []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string][]byte{state.FileName: current, state.PreviousName: previous} {
		if text != nil {
			must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
	}
	return dir
}

// damagedCopies returns damaged copies of a file. The key of a copy says how it is damaged.
func damagedCopies(t *testing.T, file []byte) map[string][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	all := map[string][]byte{
		"empty": {}, "zeros": make([]byte, len(file)), "text": []byte("import_energy: 12345\n"), "JSON": []byte("{}\n"),
		"file twice": append(bytes.Clone(file), file...), "one byte added": append(bytes.Clone(file), '\n'),
		"all bits set": bytes.Repeat([]byte{0xff}, 4096),
	}
	for range 30 {
		at, bit := r.IntN(len(file)), r.IntN(8)
		changed := bytes.Clone(file)
		changed[at] ^= 1 << bit
		all[fmt.Sprintf("bit %d of byte %d changed", bit, at)] = changed
		all[fmt.Sprintf("cut to %d bytes", at)] = file[:at]
	}
	return all
}

// TestDecodeDamaged checks that Decode reports damage, and not a newer version, if any byte has another value or the file is cut anywhere.
func TestDecodeDamaged(t *testing.T) {
	current, _ := writtenFiles(t)
	if _, err := state.Decode(current); err != nil {
		t.Fatal(err)
	}
	for at := range current {
		if found, err := state.Decode(current[:at]); err == nil || !strings.HasPrefix(err.Error(), "damaged: ") {
			t.Fatalf("cut to %d bytes: got %s, %v, want it damaged", at, found, err)
		}
		for mask := 1; mask < 256; mask++ {
			current[at] ^= byte(mask)
			if found, err := state.Decode(current); err == nil || !strings.HasPrefix(err.Error(), "damaged: ") {
				t.Fatalf("byte %d XOR %d: got %s, %v, want it damaged", at, mask, found, err)
			}
			current[at] ^= byte(mask)
		}
	}
}

// TestOpenDamaged checks that a damaged file is renamed and the previous file is used. If both files are damaged, the Store starts without
// documents. Damage is logged once, and the Store works afterwards.
func TestOpenDamaged(t *testing.T) {
	current, previous := writtenFiles(t)
	for what, damaged := range damagedCopies(t, current) {
		t.Run(what, func(t *testing.T) {
			dir := folderWith(t, damaged, previous)
			s := open(t, dir)
			wantLogged(t, s, "warn: state file was damaged: it is renamed, and the previous file is used; hanbridge.json: damaged: ")
			wantAtOpen(t, s, documents("1"))
			wantRenamed(t, dir, state.FileName, damaged)
			wantStillWorks(t, dir, s)

			dir = folderWith(t, damaged, damaged)
			s = open(t, dir)
			wantLogged(t, s, "warn: state file was damaged: it is renamed, and a new file is begun; hanbridge.json: damaged: ")
			wantAtOpen(t, s, nil)
			wantRenamed(t, dir, state.FileName, damaged)
			wantRenamed(t, dir, state.PreviousName, damaged)
			wantStillWorks(t, dir, s)

			dir = folderWith(t, damaged, nil)
			s = open(t, dir)
			wantLogged(t, s, "and a new file is begun; hanbridge.json: damaged: ")
			wantStillWorks(t, dir, s)

			s = openCleanly(t, folderWith(t, current, damaged)) // damage of the previous file is not noticed, because Open does not read it
			wantAtOpen(t, s, documents("2"))
		})
	}
}

// wantAtOpen checks the documents that the file had at Open.
func wantAtOpen(t *testing.T, s *store, want map[string]string) {
	t.Helper()
	if got := s.Documents(); !maps.Equal(got, want) {
		t.Errorf("documents at Open: got %v, want %v", got, want)
	}
}

// wantRenamed checks that a damaged file was renamed and that its content has not changed.
func wantRenamed(t *testing.T, dir, name string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(dir, name+".damaged")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s.damaged: got %d bytes and error %v, want the %d bytes of the damaged file", name, len(got), err, len(want))
	}
}

// wantStillWorks checks that a Store can commit twice, and that the next Open reads the documents of the second commit.
func wantStillWorks(t *testing.T, dir string, s *store) {
	t.Helper()
	for _, value := range []string{"8", "9"} {
		set(s, documents(value))
		s.Commit()
	}
	wantLogged(t, s)
	closeStore(t, s)
	s = openCleanly(t, dir)
	wantAtOpen(t, s, documents("9"))
	closeStore(t, s)
}

// TestOpenDamagedTwice checks that a second Open uses the previous file too, if there was no commit after the first Open.
func TestOpenDamagedTwice(t *testing.T) {
	current, previous := writtenFiles(t)
	dir := folderWith(t, current[:50], previous)
	closeStore(t, open(t, dir))
	s := open(t, dir)
	wantLogged(t, s, "warn: state file is missing: the previous file is used (to start without stored values, remove hanbridge.* there)")
	wantAtOpen(t, s, documents("1"))
	wantStillWorks(t, dir, s)
}

// TestPeek checks that Peek uses the previous file if the newest one is damaged, and changes nothing.
func TestPeek(t *testing.T) {
	current, previous := writtenFiles(t)
	damaged := current[:len(current)-1]
	for _, tt := range []struct {
		name              string
		current, previous []byte
		want              string // the document
		wantErr           string // "" for none
	}{
		{"both files are intact", current, previous, documents("2")["meter/0"], ""},
		{"previous file is missing", current, nil, documents("2")["meter/0"], ""},
		{"file is damaged", damaged, previous, documents("1")["meter/0"], ""},
		{"file is missing", nil, previous, documents("1")["meter/0"], ""},
		{"both files are damaged", damaged, damaged, "", "damaged: its checksum is wrong"},
		{"both files are missing", nil, nil, "", fs.ErrNotExist.Error()},
	} {
		dir := folderWith(t, tt.current, tt.previous)
		filesBefore := fileNames(t, dir)
		got, err := state.Peek(dir, "meter/0")
		if string(got) != tt.want || (err == nil) != (tt.wantErr == "") || !strings.Contains(fmt.Sprint(err), tt.wantErr) {
			t.Errorf("%s: got document %s and error %v, want %s and %q", tt.name, got, err, tt.want, tt.wantErr)
		}
		if files := fileNames(t, dir); strings.Join(files, " ") != strings.Join(filesBefore, " ") {
			t.Errorf("%s: got files %q, want %q", tt.name, files, filesBefore)
		}
	}
	if _, err := state.Peek(filepath.Join(t.TempDir(), "missing"), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder is missing: got error %v, want fs.ErrNotExist", err)
	}
}

// TestOpenHuge checks that a file above the size limit is not read into memory.
func TestOpenHuge(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1"})
	must(t, os.Truncate(filepath.Join(dir, state.FileName), 1<<38)) // 256 GB that take no space on the disk
	wantLogged(t, open(t, dir), "and a new file is begun; hanbridge.json: damaged: its size of 274877906944 bytes is impossible")
}

// TestOpenDamagedAgain checks that a renamed damaged file is replaced when another damaged file is renamed.
func TestOpenDamagedAgain(t *testing.T) {
	dir := folderWith(t, []byte("first"), nil)
	closeStore(t, open(t, dir))
	must(t, os.WriteFile(filepath.Join(dir, state.FileName), []byte("second"), 0o600))
	open(t, dir)
	wantRenamed(t, dir, state.FileName, []byte("second"))
	if got := fileNames(t, dir); len(got) != 2 {
		t.Errorf("got files %q, want the renamed file and the lock file", got)
	}
}

// TestEncodeDecode checks that Decode returns the documents that Encode has encoded, for random keys and documents.
func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make(map[string]json.RawMessage)
		for key, value := range rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "documents") {
			want[key], _ = json.Marshal(map[string]any{"text": value, "number": len(value)})
		}
		text, err := state.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := state.Decode(text)
		if err != nil || !maps.EqualFunc(got, want, func(x, y json.RawMessage) bool { return string(x) == string(y) }) {
			t.Fatalf("Decode of %s: got %s and error %v, want %s", text, got, err, want)
		}
	})
}
