package state_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

const page = 4096

// A past is a state file, and what its last two commits left in it.
type past struct {
	name         string
	file         []byte
	last, before map[string]string
}

// pasts are those of one meter, whose values all lie in the root, and of many, with branches, long values and free pages.
func pasts(t *testing.T) []past {
	t.Helper()
	return []past{commitTwice(t, "small", 5, 40), commitTwice(t, "large", 120, 300)}
}

func commitTwice(t *testing.T, name string, keys, size int) past {
	t.Helper()
	dir := t.TempDir()
	s := begin(t, dir)
	commit := func(text string) map[string]string {
		v := make(map[string]string)
		for i := range keys {
			v[fmt.Sprintf("guard/meter %d", i)] = strings.Repeat(text, size*(1+i%20/19*30)) // some take several pages
		}
		keep(s, v)
		s.Commit()
		return v
	}
	commit("0")
	p := past{name: name, before: commit("1"), last: commit("2")}
	end(t, s)
	var err error
	if p.file, err = os.ReadFile(filepath.Join(dir, "hanbridge.db")); err != nil {
		t.Fatal(err)
	}
	return p
}

// put writes a state file into a new folder.
func put(t *testing.T, file []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hanbridge.db"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judge opens a damaged file: every value is there, or it is told that something is lost; none is another than what was kept. Then it
// must be possible to go on with the store. It reports if something was told.
func judge(t *testing.T, what string, p past, file []byte) (told bool) {
	t.Helper()
	func() {
		defer func() {
			if r := recover(); r != nil {
				t.Fatalf("%s: it is not seen as damaged but ends in a panic: %v", what, r)
			}
		}()
		_ = state.Read(bytes.Clone(file)) // what it says is seen below
	}()
	dir := put(t, file)
	s := begin(t, dir)
	aside, cause := s.Aside()
	found := values(s)
	switch {
	case cause == nil && !maps.Equal(found, p.last):
		t.Fatalf("%s: values are lost or wrong, and nothing is told (-want +got):\n%s", what, cmp.Diff(p.last, found))
	case aside != "" && len(found) != 0:
		t.Fatalf("%s: got %v of a file that is set aside, want nothing", what, found)
	case cause != nil && aside == "" && !maps.Equal(found, p.before) && !maps.Equal(found, p.last):
		t.Fatalf("%s: got what no commit had:\n%s", what, cmp.Diff(p.before, found))
	}
	if aside != "" {
		if got, err := os.ReadFile(aside); err != nil || !bytes.Equal(got, file) {
			t.Fatalf("%s: the file set aside is another, or gone: %v", what, err)
		}
	}
	goOn(t, what, dir, s)
	return cause != nil
}

// goOn changes every value and commits.
func goOn(t *testing.T, what, dir string, s *state.Store) {
	t.Helper()
	s.OnTrouble(func(err error) { t.Errorf("%s: %v", what, err) }, nil)
	want := map[string]string{"new": "1"}
	for _, key := range s.Keys("") {
		want[key] = "changed"
	}
	keep(s, want)
	s.Commit()
	end(t, s)
	s = begin(t, dir)
	if _, cause := s.Aside(); cause != nil || !maps.Equal(values(s), want) {
		t.Fatalf("%s: after another commit: %v (-want +got):\n%s", what, cause, cmp.Diff(want, values(s)))
	}
	end(t, s)
}

func TestOpenUndamaged(t *testing.T) {
	for _, p := range pasts(t) {
		if judge(t, p.name, p, p.file) {
			t.Errorf("%s: a good file is told to be damaged", p.name)
		}
	}
}

func TestOpenCut(t *testing.T) {
	for _, p := range pasts(t) {
		used := int(inUse(p.file)) * page
		lengths := []int{1, 15, 16, 79, 80, 100, page / 2, used/2 + 7, len(p.file) - 1}
		for at := page; at <= min(used, 20*page); at += page {
			lengths = append(lengths, at-1, at, at+1)
		}
		for _, n := range lengths {
			told := judge(t, fmt.Sprintf("%s, %d of %d bytes", p.name, n, len(p.file)), p, p.file[:n])
			if want := n < used; told != want {
				t.Errorf("%s, %d bytes of %d in use: told of damage: got %v, want %v", p.name, n, used, told, want)
			}
		}
	}
}

// inUse returns how many pages the last commit has.
func inUse(file []byte) uint64 {
	const at = 56
	return max(binary.NativeEndian.Uint64(file[at:]), binary.NativeEndian.Uint64(file[page+at:]))
}

func TestOpenEmptyIsCut(t *testing.T) {
	if !judge(t, "empty", past{}, nil) {
		t.Error("an empty file is not told")
	}
}

func TestOpenNoStateFile(t *testing.T) {
	for name, file := range map[string][]byte{
		"text":  []byte("import_energy: 12345\n"),
		"zeros": make([]byte, 8*page),
		"ones":  bytes.Repeat([]byte{0xff}, 8*page),
	} {
		if !judge(t, name, past{}, file) {
			t.Errorf("%s: not told", name)
		}
	}
}

// TestOpenGarbled turns bits and overwrites parts, mostly where a page begins: there bbolt has its numbers.
func TestOpenGarbled(t *testing.T) {
	const rounds = 80
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range pasts(t) {
		told := 0
		for i := range rounds {
			file := bytes.Clone(p.file)
			what := fmt.Sprintf("%s, round %d: %s", p.name, i, garble(r, file[:inUse(file)*page]))
			if judge(t, what, p, file) {
				told++
			}
		}
		if told < rounds/10 || told == rounds {
			t.Errorf("%s: %d of %d were told: the test tries too little", p.name, told, rounds)
		}
	}
}

// garble damages the file and says how.
func garble(r *rand.Rand, file []byte) string {
	at := r.IntN(len(file)/page) * page
	switch r.IntN(6) {
	case 0:
		at += r.IntN(page)
	case 1, 2, 3:
		at += r.IntN(96)
	case 4:
		from := r.IntN(len(file)/page) * page
		copy(file[at:at+page], file[from:from+page])
		return fmt.Sprintf("page at %d over that at %d", from, at)
	case 5:
		at += r.IntN(page)
		n := r.IntN(min(600, len(file)-at))
		for i := range n {
			file[at+i] = byte(r.Uint32())
		}
		return fmt.Sprintf("%d bytes at %d", n, at)
	}
	bit := r.IntN(8)
	file[at] ^= 1 << bit
	return fmt.Sprintf("bit %d of byte %d", bit, at)
}

// TestOpenHuge: a file that can not be one of ours is not read into memory.
func TestOpenHuge(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	if err := os.Truncate(filepath.Join(dir, "hanbridge.db"), 1<<38); err != nil {
		t.Fatal(err)
	}
	if _, cause := begin(t, dir).Aside(); cause == nil {
		t.Error("got no cause, want the file set aside")
	}
}

func TestOpenReplacesAnOlderOneSetAside(t *testing.T) {
	dir := put(t, []byte("first"))
	end(t, begin(t, dir))
	path := filepath.Join(dir, "hanbridge.db")
	if err := os.WriteFile(path, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, cause := begin(t, dir).Aside()
	got, err := os.ReadFile(aside)
	if string(got) != "second" || aside != path+".damaged" || cause == nil || err != nil {
		t.Errorf("got %q in %s, %v, %v, want the second", got, aside, cause, err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 2 || err != nil {
		t.Errorf("got %v, %v, want two files", entries, err)
	}
}
