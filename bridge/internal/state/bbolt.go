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

// boltName is the file of earlier versions, a bbolt database. It is read only while there is no file of this version. Only this source file
// uses bbolt.
const boltName = "hanbridge.db"

// readBolt returns the documents in a bbolt file, and does not change the file. If the file is damaged, bbolt can panic. It can also read
// past the end of its mapped memory, which is a memory fault. In both cases the error wraps errDamaged. The database is then not closed,
// because Close would wait for locks that bbolt still holds.
func readBolt(path string) (found documents, err error) {
	if _, err := readWhole(path); err != nil { // for example, the file is missing or empty
		return nil, err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a memory fault becomes a panic; the old setting is restored at the end
	defer func() {
		if recover() != nil { // the text of the panic does not help the user
			found, err = nil, damagedError("bbolt cannot read it")
		}
	}()
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout, NoStatistics: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, errInUse
	case errors.As(err, new(syscall.Errno)):
		return nil, err
	case err != nil:
		return nil, damagedError("%w", err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		found, err = boltDocuments(tx, path)
		return err
	})
	return found, errors.Join(err, db.Close())
}

// boltDocuments returns the documents of a bbolt database, and checks their checksum.
func boltDocuments(tx *bbolt.Tx, path string) (documents, error) {
	file, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	root := tx.Cursor().Bucket()
	if !isTree(file, uint64(root.RootPage()), map[uint64]bool{}) {
		return nil, damagedError("a page leads back to itself")
	}
	bucket := tx.Bucket([]byte("hanbridge"))
	if bucket == nil {
		return nil, damagedError("it has no data of hanbridge")
	}
	if !isTree(file, uint64(bucket.RootPage()), map[uint64]bool{}) {
		return nil, damagedError("a page leads back to itself")
	}
	found := make(documents)
	err = bucket.ForEach(func(key, value []byte) error {
		if len(key)+len(value) > len(file) {
			return damagedError("a value is longer than the file")
		}
		found[string(key)] = slices.Clone(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return verifyChecksum(found)
}

// isTree reports whether the pages below page id form a tree, in which no page is reached twice. bbolt would follow a cycle until no memory
// is left. In bbolt's file version 2, a page has its flags at offset 8 and the number of its elements at offset 10. The elements of a branch
// page begin at offset 16. Each has 16 bytes, and the last 8 of them are a page number.
func isTree(file []byte, id uint64, visited map[uint64]bool) bool {
	const pageSize, branchFlags = 4096, 1 // earlier versions used this page size on every machine
	if visited[id] {
		return false
	}
	visited[id] = true
	if id >= uint64(len(file))/pageSize {
		return true // bbolt's attempt to read this page causes a memory fault, which readBolt reports
	}
	page := file[id*pageSize:]
	if binary.NativeEndian.Uint16(page[8:]) != branchFlags {
		return true
	}
	for i := range int(binary.NativeEndian.Uint16(page[10:])) {
		offset := 16 + 16*i + 8
		if offset+8 > len(page) || !isTree(file, binary.NativeEndian.Uint64(page[offset:]), visited) {
			return false
		}
	}
	return true
}

// verifyChecksum removes the checksum from the values and returns the documents if the checksum is right. bbolt itself does not
// detect a changed bit or an old page. The checksum of earlier versions consists of a format byte of 1, the number of values, the sum of
// their CRC-32s, and a CRC-32 of these three parts.
func verifyChecksum(found documents) (documents, error) {
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
			delete(found, key) // hanbridge cannot use a value that is not JSON
		}
	}
	want := binary.BigEndian.AppendUint32([]byte{1}, count)
	want = binary.BigEndian.AppendUint32(want, total)
	want = binary.BigEndian.AppendUint32(want, crc(sumKey, want))
	if !bytes.Equal(sum, want) {
		return nil, damagedError("its checksum does not match its values")
	}
	return found, nil
}
