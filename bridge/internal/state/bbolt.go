package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"runtime/debug"
	"slices"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// oldName is the file of earlier versions, a bbolt database. This source file reads it, once, and is all that knows bbolt: it goes when
// no such file is expected any more.
const oldName = "hanbridge.db"

// readOld returns the documents of a bbolt file, which it does not change. In a damaged file bbolt panics, or reads past the end of its
// mapped memory, which faults: both end here, as damage. The database is not closed then, since bbolt may hold its own locks.
func readOld(path string) (found documents, err error) {
	if _, err := readWhole(path); err != nil {
		return nil, err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil { // What the runtime says of it helps nobody.
			found, err = nil, damaged("bbolt cannot read it")
		}
	}()
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: patience, NoStatistics: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, errInUse
	case errors.As(err, new(syscall.Errno)):
		return nil, err
	case err != nil:
		return nil, damaged("%w", err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		found, err = oldDocuments(tx, path)
		return err
	})
	return found, errors.Join(err, db.Close())
}

// oldDocuments returns the values in the bucket, if they are those that were kept.
func oldDocuments(tx *bbolt.Tx, path string) (documents, error) {
	file, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	root := tx.Cursor().Bucket()
	if !isTree(file, uint64(root.RootPage()), map[uint64]bool{}) {
		return nil, damaged("a page leads back to itself")
	}
	bucket := tx.Bucket([]byte("hanbridge"))
	if bucket == nil {
		return nil, damaged("it holds nothing that hanbridge wrote")
	}
	if !isTree(file, uint64(bucket.RootPage()), map[uint64]bool{}) {
		return nil, damaged("a page leads back to itself")
	}
	found := make(documents)
	err = bucket.ForEach(func(key, value []byte) error {
		if len(key)+len(value) > len(file) {
			return damaged("a value is longer than the file")
		}
		found[string(key)] = slices.Clone(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return proved(found)
}

// isTree reports whether no page below id leads to a page a second time: bbolt would follow a circle until there is no memory left.
// The layout of a branch page is that of bbolt's file version 2: flags at 8, count at 10, then 16 bytes an element, the page last.
func isTree(file []byte, id uint64, seen map[uint64]bool) bool {
	const pageSize, branch = 4096, 1 // earlier versions made the file so on any machine
	if seen[id] {
		return false
	}
	seen[id] = true
	if id >= uint64(len(file))/pageSize {
		return true // bbolt faults there.
	}
	page := file[id*pageSize:]
	if binary.NativeEndian.Uint16(page[8:]) != branch {
		return true
	}
	for i := range int(binary.NativeEndian.Uint16(page[10:])) {
		at := 16 + 16*i + 8
		if at+8 > len(page) || !isTree(file, binary.NativeEndian.Uint64(page[at:]), seen) {
			return false
		}
	}
	return true
}

// proved takes the checksum out of what was found, and returns the rest if it is right. bbolt does not notice that a bit has turned, or
// that the disk forgot to write a page. The checksum is that of earlier versions: format 1, the number of values and the sum of their
// CRC-32, and the CRC-32 of that.
func proved(found documents) (documents, error) {
	const sumKey = "\x00contents"
	sum := found[sumKey]
	delete(found, sumKey)
	crc := func(key string, value []byte) uint32 {
		return crc32.Update(crc32.ChecksumIEEE([]byte(key)), crc32.IEEETable, value)
	}
	count, total := uint32(len(found)), uint32(0)
	for key, value := range found {
		total += crc(key, value)
		if !json.Valid(value) {
			delete(found, key) // Nothing in hanbridge could read it.
		}
	}
	want := binary.BigEndian.AppendUint32([]byte{1}, count)
	want = binary.BigEndian.AppendUint32(want, total)
	want = binary.BigEndian.AppendUint32(want, crc(sumKey, want))
	if !bytes.Equal(sum, want) {
		return nil, damaged("its values are not those that were kept")
	}
	return found, nil
}
