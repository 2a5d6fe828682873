package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"maps"
	"os"

	"github.com/gofrs/flock"
)

// oldName is the file of earlier versions, a bbolt database. This source file reads it, once: it goes when no such file is expected any
// more.
const oldName = "hanbridge.db"

// readOld returns the documents of a file of an earlier version, which it does not change.
func readOld(path string) (documents, error) {
	file, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if err := wait(lock.TryRLockContext); err != nil {
		return nil, err
	}
	_ = lock.Close() // Who opens it now does so too late.
	var newest documents
	last := uint64(0)
	for meta := range uint64(2) { // The first two pages say where the last commit begins, and the one before it.
		d := database{file, map[uint64]bool{}}
		if found, commit := d.documents(meta); found != nil && (newest == nil || commit > last) {
			newest, last = found, commit
		}
	}
	if newest == nil {
		return nil, damaged("its values are not those that were kept")
	}
	return newest, nil
}

// A database is a file of bbolt, version 2. Its numbers have the byte order of the machine. Whatever is in it, a read ends and stays within
// it; bbolt itself follows a damaged one out of its memory, or for ever.
type database struct {
	file []byte
	seen map[uint64]bool // pages that were read: none leads back to one
}

const (
	pageSize   = 4096 // earlier versions made the file so on any machine
	headerSize = 16   // bytes of what a page begins with, and of each element behind that
	isBranch   = 1    // kind of a page whose elements are pages
	isLeaf     = 2    // kind of a page whose elements are keys and values
	isBucket   = 1    // kind of a value that tells where others are
	isDocument = 0
)

var number = binary.NativeEndian

// documents returns what a commit holds, and its number; nil if it is damaged.
func (d *database) documents(meta uint64) (found documents, commit uint64) {
	page := d.page(meta)
	buckets, found := documents{}, documents{}
	if page == nil || !d.collect(d.page(number.Uint64(page[32:])), isBucket, buckets) {
		return nil, 0
	}
	bucket := buckets["hanbridge"]
	if len(bucket) < headerSize {
		return nil, 0
	}
	root := bucket[headerSize:] // a small bucket is a page itself
	if id := number.Uint64(bucket); id != 0 {
		root = d.page(id)
	}
	if !d.collect(root, isDocument, found) || !proved(found) {
		return nil, 0
	}
	return found, number.Uint64(page[64:])
}

// page returns the file from the beginning of a page; nil if there is none, or it was read before.
func (d *database) page(id uint64) []byte {
	if d.seen[id] || id >= uint64(len(d.file)/pageSize) {
		return nil
	}
	d.seen[id] = true
	return d.file[id*pageSize:]
}

// collect adds the values below a page, and reports whether all are sound and of that kind.
func (d *database) collect(page []byte, kind uint32, values documents) bool {
	if len(page) < headerSize {
		return false
	}
	for i := range int(number.Uint16(page[10:])) {
		at := headerSize * (i + 1)
		if at+headerSize > len(page) {
			return false
		}
		e := page[at:]
		key := uint64(number.Uint32(e[4:])) // where it begins
		text := key + uint64(number.Uint32(e[8:]))
		end := text + uint64(number.Uint32(e[12:]))
		switch shape := number.Uint16(page[8:]); {
		case shape == isBranch && d.collect(d.page(number.Uint64(e[8:])), kind, values):
		case shape == isLeaf && number.Uint32(e) == kind && end <= uint64(len(e)):
			values[string(e[key:text])] = e[text:end]
		default:
			return false
		}
	}
	return true
}

// proved takes the checksum out of what was found, and what is no JSON, and reports whether it is right. The checksum is that of earlier
// versions: format 1, the number of values and the sum of their CRC-32, and the CRC-32 of that.
func proved(found documents) bool {
	const sumKey = "\x00contents"
	sum := found[sumKey]
	delete(found, sumKey)
	crc := func(key string, value []byte) uint32 {
		return crc32.Update(crc32.ChecksumIEEE([]byte(key)), crc32.IEEETable, value)
	}
	count, total := uint32(len(found)), uint32(0)
	for key, value := range found {
		total += crc(key, value)
	}
	maps.DeleteFunc(found, func(_ string, value json.RawMessage) bool { return !json.Valid(value) })
	want := binary.BigEndian.AppendUint32([]byte{1}, count)
	want = binary.BigEndian.AppendUint32(want, total)
	want = binary.BigEndian.AppendUint32(want, crc(sumKey, want))
	return bytes.Equal(sum, want)
}
