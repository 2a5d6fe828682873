package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// documents are those of a house with some meters.
func documents(value string) map[string]string {
	v := map[string]string{"instance": `{"id":"0123456789abcdef","runs":["01234567"]}`, "mqtt": `{"devices":{}}`}
	for i := range 5 {
		v[fmt.Sprintf("meter/%d", i)] = fmt.Sprintf(`{"counters":[{"quantity":"import_energy","value":"%s"}]}`, strings.Repeat(value, 10+i))
	}
	return v
}

// files returns the two files that two commits leave.
func files(t *testing.T) (last, before []byte) {
	t.Helper()
	dir := wrote(t, documents("1"), documents("2"))
	last, err := os.ReadFile(filepath.Join(dir, state.FileName))
	must(t, err)
	before, err = os.ReadFile(filepath.Join(dir, state.PreviousName))
	must(t, err)
	return last, before
}

// folder makes a folder with files; nil is none.
func folder(t *testing.T, last, before []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string][]byte{state.FileName: last, state.PreviousName: before} {
		if text != nil {
			must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
	}
	return dir
}

// damages are damaged copies of a file, by what was done to them.
func damages(t *testing.T, file []byte) map[string][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	all := map[string][]byte{
		"empty": {}, "zeros": make([]byte, len(file)), "text": []byte("import_energy: 12345\n"), "JSON": []byte("{}\n"),
		"doubled": append(bytes.Clone(file), file...), "a byte more": append(bytes.Clone(file), '\n'), "ones": bytes.Repeat([]byte{0xff}, 4096),
	}
	for range 30 {
		at, bit := r.IntN(len(file)), r.IntN(8)
		turned := bytes.Clone(file)
		turned[at] ^= 1 << bit
		all[fmt.Sprintf("bit %d of byte %d turned", bit, at)] = turned
		all[fmt.Sprintf("cut to %d bytes", at)] = file[:at]
	}
	return all
}

// TestEveryBit: no bit of a file can turn, and no byte be lost, without being noticed. Damage is not taken for a newer version.
func TestEveryBit(t *testing.T) {
	last, _ := files(t)
	if _, err := state.Decode(last); err != nil {
		t.Fatal(err)
	}
	for at := range last {
		if found, err := state.Decode(last[:at]); err == nil || !strings.HasPrefix(err.Error(), "damaged: ") {
			t.Fatalf("cut to %d bytes: got %s, %v, want it damaged", at, found, err)
		}
		for turned := 1; turned < 256; turned++ {
			last[at] ^= byte(turned)
			if found, err := state.Decode(last); err == nil || !strings.HasPrefix(err.Error(), "damaged: ") {
				t.Fatalf("byte %d turned by %d: got %s, %v, want it damaged", at, turned, found, err)
			}
			last[at] ^= byte(turned)
		}
	}
}

// TestDamage: a damaged file is set aside and the one before it is used; if both are damaged a new one is begun. Either is told once, and
// the store goes on.
func TestDamage(t *testing.T) {
	last, before := files(t)
	for what, damaged := range damages(t, last) {
		t.Run(what, func(t *testing.T) {
			dir := folder(t, damaged, before)
			s := open(t, dir)
			wantLogged(t, s, "warn: state file was damaged: it is set aside, and the one before it is used; hanbridge.json: damaged: ")
			wantFound(t, s, documents("1"))
			wantAside(t, dir, state.FileName, damaged)
			wantGoesOn(t, dir, s)

			dir = folder(t, damaged, damaged)
			s = open(t, dir)
			wantLogged(t, s, "warn: state file was damaged: it is set aside, and a new one is begun; hanbridge.json: damaged: ")
			wantFound(t, s, nil)
			wantAside(t, dir, state.FileName, damaged)
			wantAside(t, dir, state.PreviousName, damaged)
			wantGoesOn(t, dir, s)

			dir = folder(t, damaged, nil)
			s = open(t, dir)
			wantLogged(t, s, "and a new one is begun; hanbridge.json: damaged: ")
			wantGoesOn(t, dir, s)

			s = begin(t, folder(t, last, damaged)) // only the newest counts
			wantFound(t, s, documents("2"))
		})
	}
}

func wantFound(t *testing.T, s *store, want map[string]string) {
	t.Helper()
	if got := s.Documents(); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// wantAside wants a damaged file under another name, as it was.
func wantAside(t *testing.T, dir, name string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(dir, name+".damaged")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file set aside is another, or gone: %v", err)
	}
}

// wantGoesOn changes every value twice, and looks what the next Open finds.
func wantGoesOn(t *testing.T, dir string, s *store) {
	t.Helper()
	for _, value := range []string{"8", "9"} {
		keep(s, documents(value))
		s.Commit()
	}
	wantLogged(t, s)
	end(t, s)
	s = begin(t, dir)
	wantFound(t, s, documents("9"))
	end(t, s)
}

// TestDamagedBeforeTheFirstCommit: whoever is killed before he wrote finds the file before the damaged one again.
func TestDamagedBeforeTheFirstCommit(t *testing.T) {
	last, before := files(t)
	dir := folder(t, last[:50], before)
	end(t, open(t, dir))
	s := open(t, dir)
	wantLogged(t, s, "warn: state file is missing: the one before it is used (to begin anew, remove hanbridge.* there)")
	wantFound(t, s, documents("1"))
	wantGoesOn(t, dir, s)
}

// TestPeekDamaged reads past a damaged file, too, and changes nothing.
func TestPeekDamaged(t *testing.T) {
	last, before := files(t)
	bad := last[:len(last)-1]
	for _, tt := range []struct {
		name         string
		last, before []byte
		want         string
		err          string
	}{
		{"whole", last, before, documents("2")["meter/0"], ""},
		{"in use elsewhere", last, nil, documents("2")["meter/0"], ""},
		{"damaged", bad, before, documents("1")["meter/0"], ""},
		{"missing", nil, before, documents("1")["meter/0"], ""},
		{"both damaged", bad, bad, "", "damaged: its checksum is wrong"},
		{"nothing", nil, nil, "", fs.ErrNotExist.Error()},
	} {
		dir := folder(t, tt.last, tt.before)
		files := names(t, dir)
		got, err := state.Peek(dir, "meter/0")
		if string(got) != tt.want || (err == nil) != (tt.err == "") || !strings.Contains(fmt.Sprint(err), tt.err) {
			t.Errorf("%s: got %s, %v, want %s, %q", tt.name, got, err, tt.want, tt.err)
		}
		if now := names(t, dir); strings.Join(now, " ") != strings.Join(files, " ") {
			t.Errorf("%s: got files %q, want %q", tt.name, now, files)
		}
	}
	if _, err := state.Peek(filepath.Join(t.TempDir(), "missing"), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: got %v, want fs.ErrNotExist", err)
	}
}

// TestOpenHuge: a file that cannot be one of ours is not read into memory.
func TestOpenHuge(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	must(t, os.Truncate(filepath.Join(dir, state.FileName), 1<<38))
	wantLogged(t, open(t, dir), "and a new one is begun; hanbridge.json: damaged: 274877906944 bytes are none that hanbridge wrote")
}

func TestOpenReplacesAnOlderOneSetAside(t *testing.T) {
	dir := folder(t, []byte("first"), nil)
	end(t, open(t, dir))
	must(t, os.WriteFile(filepath.Join(dir, state.FileName), []byte("second"), 0o600))
	open(t, dir)
	wantAside(t, dir, state.FileName, []byte("second"))
	if got := names(t, dir); len(got) != 2 { // and the lock
		t.Errorf("got %q, want two files", got)
	}
}
