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
	infoTakenOver   = "info: state of an earlier version is taken over: "
	warnBoltDamaged = "warn: state file was damaged: it is renamed, and a new file is begun; hanbridge.db: damaged: "
)

// boltFile returns a bbolt file that an earlier version has written for two simulated meters. That version was killed, so it has not closed
// the file.
func boltFile(t *testing.T) []byte {
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

// boltFolder creates a folder with a bbolt file.
func boltFolder(t *testing.T, file []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, state.BoltName), file, 0o600))
	return dir
}

// manyMetersFile returns a bbolt file like those that earlier versions wrote, and the documents in the file. Because of its many meters and
// three commits, the file has branch pages, long values and free pages.
func manyMetersFile(t *testing.T) (file []byte, want map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), state.BoltName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	must(t, err)
	for commit := range 3 {
		want = make(map[string]string)
		for i := range 120 {
			length := 300
			if i%20 == 19 {
				length = 9300 // more than two pages
			}
			want[fmt.Sprintf("meter/%d", i)] = `"` + strings.Repeat(fmt.Sprint(commit), length) + `"`
		}
		must(t, db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("hanbridge"))
			must(t, err)
			for key, value := range want {
				must(t, bucket.Put([]byte(key), []byte(value)))
			}
			return bucket.Put([]byte("\x00contents"), boltChecksum(want))
		}))
	}
	must(t, db.Close())
	file, err = os.ReadFile(path)
	must(t, err)
	return file, want
}

// boltChecksum returns the checksum that earlier versions stored together with the values.
func boltChecksum(values map[string]string) []byte {
	var sum uint32
	for key, value := range values {
		sum += crc32.ChecksumIEEE([]byte(key + value))
	}
	b := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(values)))
	b = binary.BigEndian.AppendUint32(b, sum)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append([]byte("\x00contents"), b...)))
}

// TestTakeOver checks that the first Open reads all documents of the bbolt file, logs one line, and does not change the file. The second Open
// must not read the bbolt file.
func TestTakeOver(t *testing.T) {
	old := boltFile(t)
	dir := boltFolder(t, old)
	s := open(t, dir)
	wantLogged(t, s, infoTakenOver)
	found := s.Documents()
	if got, want := slices.Sorted(maps.Keys(found)), []string{"instance", "meter/garage", "meter/house", "mqtt"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	var house struct {
		About      struct{ Serial string }
		Quantities []struct{ Name string }
		Guard      struct {
			Counters []struct{ Quantity string }
		}
	}
	must(t, json.Unmarshal([]byte(found["meter/house"]), &house))
	if len(house.Quantities) < 20 || len(house.Guard.Counters) < 5 || house.About.Serial == "" {
		t.Errorf("got %+v, want a serial number, at least 20 quantities and at least 5 counters", house)
	}
	if mqtt := found["mqtt"]; !strings.Contains(mqtt, "homeassistant/device/hanbridge_house/config") {
		t.Errorf("got %s, want the announced topics", mqtt)
	}

	s.Commit()
	wantOnDisk(t, dir, found)
	if current, err := os.ReadFile(filepath.Join(dir, state.BoltName)); err != nil || !bytes.Equal(current, old) {
		t.Errorf("the bbolt file has changed, or cannot be read: %v", err)
	}
	set(s, map[string]string{"instance": `"newer"`})
	s.Commit()
	closeStore(t, s)
	if got := string(openCleanly(t, dir).Value("instance")); got != `"newer"` {
		t.Errorf("second Open: got document %s, want the document that was written after the first Open", got)
	}
}

// TestTakeOverTwice checks that a second Open reads the bbolt file again, if there was no commit after the first Open.
func TestTakeOverTwice(t *testing.T) {
	file, want := manyMetersFile(t)
	dir := boltFolder(t, file)
	for range 2 {
		s := open(t, dir)
		wantLogged(t, s, infoTakenOver)
		wantAtOpen(t, s, want)
		closeStore(t, s)
	}
	got, err := state.Peek(dir, "meter/1")
	if err != nil || string(got) != want["meter/1"] {
		t.Errorf("Peek: got document %s and error %v, want %s", got, err, want["meter/1"])
	}
}

// TestTakeOverInUse checks that Open returns although an earlier version still uses the bbolt file, and that a later commit reads the file.
func TestTakeOverInUse(t *testing.T) {
	dir := boltFolder(t, boltFile(t))
	db, err := bbolt.Open(filepath.Join(dir, state.BoltName), 0o600, nil)
	must(t, err)
	s := open(t, dir)
	wantLogged(t, s, "another hanbridge uses it")
	if _, err := state.Peek(dir, "instance"); err == nil || !strings.Contains(err.Error(), "another hanbridge uses it") {
		t.Errorf("Peek: got error %v, want that another hanbridge uses it", err)
	}
	s.Commit()
	must(t, db.Close())
	s.Commit()
	wantLogged(t, s, infoTakenOver, "info: state is written again")
	if got := onDisk(t, dir); len(got) != 4 {
		t.Errorf("got %v, want the 4 documents of the bbolt file", got)
	}
}

// TestTakeOverNotBesideFile checks that the bbolt file is not read if there is a file of this version, even a damaged one.
func TestTakeOverNotBesideFile(t *testing.T) {
	dir := boltFolder(t, boltFile(t))
	must(t, os.WriteFile(filepath.Join(dir, state.FileName), []byte("{"), 0o600))
	s := open(t, dir)
	wantLogged(t, s, "state file was damaged: it is renamed, and a new file is begun; hanbridge.json: ")
	wantAtOpen(t, s, nil)
}

// takeOverDamaged opens a folder with a damaged bbolt file, and reports whether the damage was logged. If the damage was logged, the Store
// must have no documents. Otherwise it must have all documents of one commit, which isComplete checks. Open must not hang, and the Store must
// work afterwards.
func takeOverDamaged(t *testing.T, what string, file []byte, isComplete func(map[string]string) bool) (damageLogged bool) {
	t.Helper()
	dir := boltFolder(t, file)
	start := time.Now()
	s := open(t, dir)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("%s: Open took %v, want a minute at most", what, took)
	}
	lines, found := s.logged(), s.Documents()
	switch {
	case len(lines) != 1:
		t.Errorf("%s: logged %q, want one line", what, lines)
	case strings.Contains(lines[0], warnBoltDamaged):
		damageLogged = true
		if len(found) > 0 {
			t.Errorf("%s: got documents %v of a damaged file, want none", what, found)
		}
		wantRenamed(t, dir, state.BoltName, file)
	case !strings.Contains(lines[0], infoTakenOver) || !isComplete(found):
		t.Errorf("%s: logged %q and got documents %v, want all documents of one commit", what, lines, found)
	}
	set(s, map[string]string{"new": "1"})
	s.Commit()
	if got := onDisk(t, dir)["new"]; got != "1" {
		t.Errorf("%s: got document %q after a commit, want 1; logged %q", what, got, s.logged())
	}
	closeStore(t, s)
	return damageLogged
}

// TestTakeOverDamaged checks bbolt files that are cut or damaged at random.
func TestTakeOverDamaged(t *testing.T) {
	manyMeters, want := manyMetersFile(t)
	twoMeters := open(t, boltFolder(t, boltFile(t))).Documents()
	for name, tt := range map[string]struct {
		file       []byte
		isComplete func(map[string]string) bool
	}{
		"two meters": {boltFile(t), func(found map[string]string) bool {
			return len(found) == len(twoMeters) && strings.Contains(found["instance"], `"id"`)
		}},
		"many meters": {manyMeters, func(found map[string]string) bool {
			// The digit in a document is the number of the commit.
			return len(found) == len(want) && strings.Trim(found["meter/1"], `"012`) == "" && len(found["meter/1"]) == len(want["meter/1"])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if takeOverDamaged(t, "undamaged", tt.file, tt.isComplete) {
				t.Error("intact file: damage is logged, want none")
			}
			used := len(bytes.TrimRight(tt.file, "\x00"))
			// The first page begins with a header of 16 bytes and metadata of 64 bytes. A page has 4096 bytes.
			for _, n := range []int{0, 1, 15, 80, 4095, 4096, 8191, 8192, 12288, used / 2, used - 1} {
				// A file that is cut in its second half can still have all documents of the last commit or the commit before.
				if logged := takeOverDamaged(t, fmt.Sprintf("cut to %d bytes", n), tt.file[:n], tt.isComplete); !logged && n < used/2 {
					t.Errorf("cut to %d bytes: no damage is logged", n)
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			const rounds = 150
			loggedCount := 0
			for i := range rounds {
				file := bytes.Clone(tt.file)
				usedPages := file[:(used+4095)/4096*4096]
				what := fmt.Sprintf("round %d: %s", i, damageRandomly(r, usedPages))
				if takeOverDamaged(t, what, file, tt.isComplete) {
					loggedCount++
				}
			}
			// Damage in a free page is not noticed.
			if loggedCount < rounds/10 || loggedCount == rounds {
				t.Errorf("damage was logged in %d of %d rounds, want at least %d and not all", loggedCount, rounds, rounds/10)
			}
		})
	}
}

// damageRandomly damages the file at random and returns a description. It changes mostly the start of a page, because the start has the
// numbers that bbolt uses.
func damageRandomly(r *rand.Rand, file []byte) string {
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
		return fmt.Sprintf("page at %d copied over page at %d", from, at)
	case 5:
		at += r.IntN(page)
		n := r.IntN(min(600, len(file)-at))
		for i := range n {
			file[at+i] = byte(r.Uint32())
		}
		return fmt.Sprintf("%d bytes at %d overwritten", n, at)
	}
	bit := r.IntN(8)
	file[at] ^= 1 << bit
	return fmt.Sprintf("bit %d of byte %d changed", bit, at)
}

// TestTakeOverWrongPages checks that damage is logged if all pages of one kind are wrong. With these pages, bbolt itself would panic, never
// return, or return wrong values. The page layout is described at isTree. An element of a leaf page has 16 bytes: the flags, the offset of
// the key, the length of the key and the length of the value.
func TestTakeOverWrongPages(t *testing.T) {
	manyMeters, _ := manyMetersFile(t)
	u16, u32, u64 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint32, binary.NativeEndian.PutUint64
	const branch, leaf = 1, 2
	for _, tt := range []struct {
		name   string
		kind   uint16 // of the pages that are changed
		change func(page []byte)
	}{
		{"branch page leads to itself", branch, func(p []byte) { copy(p[24:32], p[:8]) }},
		{"last element of a branch page leads to itself", branch, func(p []byte) { copy(p[16*binary.NativeEndian.Uint16(p[10:])+8:], p[:8]) }},
		{"branch page without elements", branch, func(p []byte) { u16(p[10:], 0) }},
		{"branch page leads past the end of the file", branch, func(p []byte) { u64(p[24:], 1<<50) }},
		{"branch page leads to page 1<<63", branch, func(p []byte) { u64(p[24:], 1<<63) }},
		{"branch page with 65535 elements", branch, func(p []byte) { u16(p[10:], 0xFFFF) }},
		{"leaf page marked as branch page", leaf, func(p []byte) { u16(p[8:], branch) }},
		{"leaf page with 65535 elements", leaf, func(p []byte) { u16(p[10:], 0xFFFF) }},
		{"leaf page without its last element", leaf, func(p []byte) { u16(p[10:], binary.NativeEndian.Uint16(p[10:])-1) }},
		{"value marked as bucket", leaf, func(p []byte) { u32(p[16:], 1) }},
		{"bucket marked as value", leaf, func(p []byte) { u32(p[16:], 0) }},
		{"value at offset 1<<31", leaf, func(p []byte) { u32(p[20:], 1<<31) }},
		{"value of 4 GB", leaf, func(p []byte) { u32(p[28:], 1<<32-1) }},
		{"value of 2 GB", leaf, func(p []byte) { u32(p[28:], 1<<31-1-4096) }},
		{"bucket of another name", leaf, func(p []byte) { copy(p[32:], "HANBRIDGE") }},
		{"no bucket", leaf, func(p []byte) { u16(p[10:], 0) }},
	} {
		if raceDetector && strings.HasSuffix(tt.name, " GB") {
			continue // with the race detector, such a value would need up to 6 GB of memory
		}
		file := bytes.Clone(manyMeters)
		for at := 2 * 4096; at+4096 <= len(file); at += 4096 { // the first two pages have metadata only
			// A page begins with its own number. Other blocks of 4096 bytes are the continuation of a long value.
			if p := file[at : at+4096]; binary.NativeEndian.Uint16(p[8:]) == tt.kind && binary.NativeEndian.Uint64(p) == uint64(at/4096) {
				tt.change(p)
			}
		}
		if bytes.Equal(file, manyMeters) {
			t.Errorf("%s: no page was changed", tt.name)
		}
		if !takeOverDamaged(t, tt.name, file, func(map[string]string) bool { return false }) {
			t.Errorf("%s: no damage is logged", tt.name)
		}
	}
}

// TestTakeOverNoJSON checks that a value that is not JSON is dropped, and that the other values are read.
func TestTakeOverNoJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), state.BoltName)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 4096})
	must(t, err)
	values := map[string]string{"a": "{", "b": "1"}
	must(t, db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("hanbridge"))
		must(t, err, bucket.Put([]byte("a"), []byte("{")), bucket.Put([]byte("b"), []byte("1")))
		return bucket.Put([]byte("\x00contents"), boltChecksum(values))
	}), db.Close())
	s := open(t, filepath.Dir(path))
	wantLogged(t, s, infoTakenOver)
	wantAtOpen(t, s, map[string]string{"b": "1"})
	s.Commit()
	wantLogged(t, s)
}
