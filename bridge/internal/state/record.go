package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// format is the version of what is in the bucket. Every version has the contents there, sealed, with the version as the first byte.
const format = 1

// contentsKey is no key that a caller has: those are text.
const contentsKey = "\x00contents"

var bucketName = []byte("hanbridge")

// ErrNewer is the error of Open for a file of a later version. The file is left as it is.
var ErrNewer = errors.New("written by a newer hanbridge (start that one, or remove the file: counters are then watched from anew)")

// A damageError says why a file is not what was written. Such a file is set aside.
type damageError struct{ cause error }

func (d *damageError) Error() string { return "damaged: " + d.cause.Error() }
func (d *damageError) Unwrap() error { return d.cause }

func damaged(format string, args ...any) error { return &damageError{fmt.Errorf(format, args...)} }

// checksum is that of a key and its value, so that a value under another key is noticed, too.
func checksum(key string, value []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(key)), crc32.IEEETable, value)
}

// contents counts and sums the values: bbolt does not notice that a bit has turned, or that a page is one of an older commit because the
// disk forgot to write it.
func contents(values map[string][]byte) []byte {
	var sum uint32
	for key, value := range values {
		sum += checksum(key, value)
	}
	b := binary.BigEndian.AppendUint32([]byte{format}, uint32(len(values)))
	return seal(binary.BigEndian.AppendUint32(b, sum))
}

// seal puts a checksum behind the contents. It stays so in every version, so that a damaged file is not taken for a newer one.
func seal(contents []byte) []byte {
	return binary.BigEndian.AppendUint32(contents, checksum(contentsKey, contents))
}

// prove takes the contents out of what a commit has, and returns an error where a value is wrong, missing or more.
func prove(values map[string][]byte) error {
	found := values[contentsKey]
	delete(values, contentsKey)
	if bytes.Equal(found, contents(values)) {
		return nil
	}
	if n := len(found) - 4; n > 0 && bytes.Equal(found, seal(slices.Clone(found[:n]))) && found[0] > format {
		return ErrNewer
	}
	return damaged("its values are not those that were kept")
}
