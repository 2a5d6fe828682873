package state_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

const (
	takenOver  = "info: state of an earlier version is taken over: "
	oldDamaged = "warn: state file was damaged: it is set aside, and a new one is begun; hanbridge.db: damaged: "
)

// oldFile is a file of the version before, which read two simulated meters and was killed.
func oldFile(t *testing.T) []byte {
	t.Helper()
	packed, err := os.Open("testdata/hanbridge.db.gz")
	must(t, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	must(t, err)
	file, err := io.ReadAll(unpacked)
	must(t, err)
	return file
}

// oldFolder makes a folder with a file of the version before.
func oldFolder(t *testing.T, file []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, state.OldName), file, 0o600))
	return dir
}

// manyMeters makes a file as the version before did in a house of many meters, after some commits: with branches, long values and
// free pages.
func manyMeters(t *testing.T) (file []byte, want map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), state.OldName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	must(t, err)
	for commit := range 3 {
		want = make(map[string]string)
		for i := range 120 {
			want[fmt.Sprintf("meter/%d", i)] = `"` + strings.Repeat(fmt.Sprint(commit), 300*(1+i%20/19*30)) + `"`
		}
		must(t, db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("hanbridge"))
			must(t, err)
			for key, value := range want {
				must(t, bucket.Put([]byte(key), []byte(value)))
			}
			return bucket.Put([]byte("\x00contents"), oldChecksum(want))
		}))
	}
	must(t, db.Close())
	file, err = os.ReadFile(path)
	must(t, err)
	return file, want
}

func oldChecksum(values map[string]string) []byte {
	var sum uint32
	for key, value := range values {
		sum += crc32.ChecksumIEEE([]byte(key + value))
	}
	b := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(values)))
	b = binary.BigEndian.AppendUint32(b, sum)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append([]byte("\x00contents"), b...)))
}

// TestTakeOver: all that the version before kept is there at the first start, is told once, and stays for those who go back. The second
// start does not look at it again.
func TestTakeOver(t *testing.T) {
	old := oldFile(t)
	dir := oldFolder(t, old)
	s := open(t, dir)
	wantLogged(t, s, takenOver)
	taken := s.Documents()
	if got, want := slices.Sorted(maps.Keys(taken)), []string{"instance", "meter/garage", "meter/house", "mqtt"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	var house struct {
		About      struct{ Serial string }
		Quantities []struct{ Name string }
		Guard      struct {
			Counters []struct{ Quantity string }
		}
	}
	must(t, json.Unmarshal([]byte(taken["meter/house"]), &house))
	if n := len(house.Quantities); n < 20 || len(house.Guard.Counters) < 5 || house.About.Serial == "" {
		t.Errorf("got %+v", house)
	}
	if mqtt := taken["mqtt"]; !strings.Contains(mqtt, "homeassistant/device/hanbridge_house/config") {
		t.Errorf("got %s, want what was announced", mqtt)
	}

	s.Commit()
	wantOnDisk(t, dir, taken)
	if now, err := os.ReadFile(filepath.Join(dir, state.OldName)); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old file has changed: %v", err)
	}
	keep(s, map[string]string{"instance": `"newer"`})
	s.Commit()
	end(t, s)
	if got := string(begin(t, dir).Value("instance")); got != `"newer"` {
		t.Errorf("got %s at the second start, want what the first has kept", got)
	}
}

// TestTakeOverAgain: who was killed before he wrote takes it over again.
func TestTakeOverAgain(t *testing.T) {
	file, want := manyMeters(t)
	dir := oldFolder(t, file)
	for range 2 {
		s := open(t, dir)
		wantLogged(t, s, takenOver)
		wantFound(t, s, want)
		end(t, s)
	}
	got, err := state.Peek(dir, "meter/1")
	if err != nil || string(got) != want["meter/1"] {
		t.Errorf("Peek: got %s, %v", got, err)
	}
}

// TestTakeOverInUse: while the version before has the file open, nothing is taken over, and nothing waits for ever.
func TestTakeOverInUse(t *testing.T) {
	dir := oldFolder(t, oldFile(t))
	db, err := bbolt.Open(filepath.Join(dir, state.OldName), 0o600, nil)
	must(t, err)
	s := open(t, dir)
	wantLogged(t, s, "another hanbridge uses it")
	if _, err := state.Peek(dir, "instance"); err == nil || !strings.Contains(err.Error(), "another hanbridge uses it") {
		t.Errorf("Peek: got %v, want that another hanbridge uses it", err)
	}
	s.Commit()
	must(t, db.Close())
	s.Commit()
	wantLogged(t, s, takenOver, "info: state is written again")
	if got := onDisk(t, dir); len(got) != 4 {
		t.Errorf("got %v, want all that was in the file", got)
	}
}

// TestTakeOverNothingNewer: beside a file of this version, good or damaged, the old one is not looked at: it is from long ago.
func TestTakeOverNothingNewer(t *testing.T) {
	dir := oldFolder(t, oldFile(t))
	must(t, os.WriteFile(filepath.Join(dir, state.FileName), []byte("{"), 0o600))
	s := open(t, dir)
	wantLogged(t, s, "state file was damaged: it is set aside, and a new one is begun; hanbridge.json: ")
	wantFound(t, s, nil)
}

// takeOver opens a folder with a damaged old file. It must give every document, those of an earlier commit, or none and say why. It must
// end, and the store must go on. It reports if the damage was told.
func takeOver(t *testing.T, what string, file []byte, whole func(map[string]string) bool) (told bool) {
	t.Helper()
	dir := oldFolder(t, file)
	began := time.Now()
	s := open(t, dir)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("%s: took %v", what, took)
	}
	lines, found := s.logged(), s.Documents()
	switch {
	case len(lines) != 1:
		t.Errorf("%s: logged %q, want one line", what, lines)
	case strings.Contains(lines[0], oldDamaged):
		told = true
		if len(found) > 0 {
			t.Errorf("%s: got %v of a damaged file", what, found)
		}
		wantAside(t, dir, state.OldName, file)
	case !strings.Contains(lines[0], takenOver) || !whole(found):
		t.Errorf("%s: logged %q, and got what was not kept: %v", what, lines, found)
	}
	keep(s, map[string]string{"new": "1"})
	s.Commit()
	if got := onDisk(t, dir)["new"]; got != "1" {
		t.Errorf("%s: it does not go on: %q", what, s.logged())
	}
	end(t, s)
	return told
}

// TestTakeOverDamaged cuts the old file and overwrites parts of it, mostly where a page begins: there bbolt has its numbers.
func TestTakeOverDamaged(t *testing.T) {
	many, last := manyMeters(t)
	house := open(t, oldFolder(t, oldFile(t))).Documents()
	for name, tt := range map[string]struct {
		file  []byte
		whole func(map[string]string) bool
	}{
		"fixture": {oldFile(t), func(found map[string]string) bool {
			return len(found) == len(house) && strings.Contains(found["instance"], `"id"`)
		}},
		"many meters": {many, func(found map[string]string) bool {
			return len(found) == len(last) && strings.Trim(found["meter/1"], `"012`) == "" && len(found["meter/1"]) == len(last["meter/1"])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if takeOver(t, "undamaged", tt.file, tt.whole) {
				t.Error("a good file is told to be damaged")
			}
			used := len(bytes.TrimRight(tt.file, "\x00"))
			for _, n := range []int{0, 1, 15, 80, 4095, 4096, 8191, 8192, 12288, used / 2, used - 1} {
				if told := takeOver(t, fmt.Sprintf("cut to %d bytes", n), tt.file[:n], tt.whole); !told && n < used/2 {
					t.Errorf("cut to %d bytes: not told", n)
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			const rounds = 150
			told := 0
			for i := range rounds {
				file := bytes.Clone(tt.file)
				what := fmt.Sprintf("round %d: %s", i, garble(r, file[:(used+4095)/4096*4096]))
				if takeOver(t, what, file, tt.whole) {
					told++
				}
			}
			if told < rounds/10 || told == rounds {
				t.Errorf("%d of %d were told: the test tries too little", told, rounds)
			}
		})
	}
}

// garble damages the file and says how.
func garble(r *rand.Rand, file []byte) string {
	const page = 4096
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

// TestTakeOverLies damages every page of a kind, those in use among them, in ways that make bbolt end the program, never return, or give
// other values.
func TestTakeOverLies(t *testing.T) {
	many, _ := manyMeters(t)
	u16, u32, u64 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint32, binary.NativeEndian.PutUint64
	const branch, leaf = 1, 2
	for _, tt := range []struct {
		name string
		kind uint16
		lie  func(page []byte)
	}{
		{"branch to itself", branch, func(p []byte) { copy(p[24:32], p[:8]) }},
		{"last branch to itself", branch, func(p []byte) { copy(p[16*binary.NativeEndian.Uint16(p[10:])+8:], p[:8]) }},
		{"branch to nowhere", branch, func(p []byte) { u16(p[10:], 0) }},
		{"branch past the end", branch, func(p []byte) { u64(p[24:], 1<<50) }},
		{"branch far away", branch, func(p []byte) { u64(p[24:], 1<<63) }},
		{"branches without end", branch, func(p []byte) { u16(p[10:], 0xFFFF) }},
		{"leaf that says it is a branch", leaf, func(p []byte) { u16(p[8:], branch) }},
		{"leaves without end", leaf, func(p []byte) { u16(p[10:], 0xFFFF) }},
		{"leaves without their last", leaf, func(p []byte) { u16(p[10:], binary.NativeEndian.Uint16(p[10:])-1) }},
		{"a bucket for a value", leaf, func(p []byte) { u32(p[16:], 1) }},
		{"a value for the bucket", leaf, func(p []byte) { u32(p[16:], 0) }},
		{"value far away", leaf, func(p []byte) { u32(p[20:], 1<<31) }},
		{"value without end", leaf, func(p []byte) { u32(p[28:], 1<<32-1) }},
		{"value almost without end", leaf, func(p []byte) { u32(p[28:], 1<<31-1-4096) }},
		{"bucket of another name", leaf, func(p []byte) { copy(p[32:], "HANBRIDGE") }},
		{"no bucket", leaf, func(p []byte) { u16(p[10:], 0) }},
	} {
		if raceDetector && strings.HasPrefix(tt.name, "value") && strings.HasSuffix(tt.name, "without end") {
			continue // it would take 6 GB to note what is read of a value of 4 GB
		}
		file := bytes.Clone(many)
		for at := 2 * 4096; at+4096 <= len(file); at += 4096 {
			if p := file[at : at+4096]; binary.NativeEndian.Uint16(p[8:]) == tt.kind && binary.NativeEndian.Uint64(p) == uint64(at/4096) {
				tt.lie(p)
			}
		}
		if bytes.Equal(file, many) {
			t.Errorf("%s: nothing was changed", tt.name)
		}
		if !takeOver(t, tt.name, file, func(map[string]string) bool { return false }) {
			t.Errorf("%s: not told", tt.name)
		}
	}
}

// TestTakeOverNoJSON: a value that is no JSON is left out, and the others are taken over.
func TestTakeOverNoJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), state.OldName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	must(t, err)
	values := map[string]string{"a": "{", "b": "1"}
	must(t, db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("hanbridge"))
		must(t, err, bucket.Put([]byte("a"), []byte("{")), bucket.Put([]byte("b"), []byte("1")))
		return bucket.Put([]byte("\x00contents"), oldChecksum(values))
	}), db.Close())
	s := open(t, filepath.Dir(path))
	wantLogged(t, s, takenOver)
	wantFound(t, s, map[string]string{"b": "1"})
	s.Commit()
	wantLogged(t, s)
}
