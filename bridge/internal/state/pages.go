package state

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
)

// bbolt believes what it reads: in a damaged file it reads past the end of its mapping, which ends the program, follows a branch that
// leads back to itself until there is no memory left, or takes a page that is in use for a free one. So the whole file is read here
// first, with what bbolt will read and nothing taken for granted. The layout is that of bbolt's file version 2; numbers are in the order
// of the machine.
const (
	pageSize = 4096 // of every file that this package makes, on any machine
	headSize = 16   // of a page, of an element's entry in it, and of a bucket

	branchPage = 0x01
	leafPage   = 0x02
	freePage   = 0x10

	magic, fileVersion = 0xED0CDAED, 2
)

func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

// A meta is the beginning of a commit. The last two commits have one each: those with an even number on page 0, the others on page 1.
type meta struct{ root, free, end, commit uint64 }

// readMeta returns the meta on page 0 or 1, or false where it is not what was written there.
func readMeta(p page, id uint64) (meta, bool) {
	b := p[headSize : headSize+64]
	h := fnv.New64a()
	_, _ = h.Write(b[:56]) // a hash never fails
	ok := u32(b) == magic && u32(b[4:]) == fileVersion && u32(b[8:]) == pageSize && u64(b[56:]) == h.Sum64()
	m := meta{root: u64(b[16:]), free: u64(b[32:]), end: u64(b[40:]), commit: u64(b[48:])}
	return m, ok && m.commit%2 == id
}

// lastCommit returns the values of the newest commit, not copied, and whether there may have been a newer one that is lost.
func lastCommit(file []byte) (values map[string][]byte, lost bool, err error) {
	if len(file) < 2*pageSize {
		return nil, false, damaged("the file is cut to %d bytes", len(file))
	}
	last, ok := readMeta(file, 0)
	other, otherOK := readMeta(file[pageSize:], 1)
	if !ok && !otherOK {
		return nil, false, damaged("it does not begin as a state file does")
	}
	if otherOK && (!ok || other.commit > last.commit) {
		last = other
	}
	w := walk{file: file, end: last.end, values: make(map[string][]byte)}
	if err := w.commit(last); err != nil {
		return nil, false, err
	}
	lost = !ok || !otherOK
	if last.commit <= 1 && !w.found {
		return nil, lost, nil // nothing was committed yet
	}
	return w.values, lost, prove(w.values)
}

// A walk goes through all pages of a commit.
type walk struct {
	file   []byte
	end    uint64 // the number of pages
	seen   []bool
	found  bool // the bucket
	values map[string][]byte
}

// commit visits every page at most once, in use or free.
func (w *walk) commit(m meta) error {
	if m.end < 2 || m.end > uint64(len(w.file))/pageSize {
		return damaged("the file is cut to %d bytes of %d pages", len(w.file), m.end)
	}
	w.seen = make([]bool, m.end)
	w.seen[0], w.seen[1] = true, true
	if err := w.tree(m.root, nil, nil, w.bucket); err != nil {
		return err
	}
	return w.free(m.free)
}

// page returns a page with all that belongs to it.
func (w *walk) page(id uint64) (page, error) {
	if id >= w.end {
		return nil, damaged("page %d is past the end", id)
	}
	p := page(w.file[id*pageSize:])
	n := 1 + uint64(p.more())
	if p.id() != id {
		return nil, damaged("page %d is garbled", id)
	}
	for i := id; i < id+n; i++ {
		if err := w.visit(i); err != nil {
			return nil, err
		}
	}
	return p[:n*pageSize], nil
}

func (w *walk) visit(id uint64) error {
	if id >= w.end || w.seen[id] {
		return damaged("page %d is used twice or not there", id)
	}
	w.seen[id] = true
	return nil
}

// tree visits, in order, what is below a page. All keys are from low on and before high, where high is not nil.
func (w *walk) tree(id uint64, low, high []byte, visit func(element) error) error {
	p, err := w.page(id)
	if err != nil {
		return err
	}
	switch p.kind() {
	case leafPage:
		return p.leaf(low, high, visit)
	case branchPage:
		return w.branch(p, low, high, visit)
	}
	return damaged("page %d is of the wrong kind", id)
}

func (w *walk) branch(p page, low, high []byte, visit func(element) error) error {
	for i := range p.count() {
		e, ok := p.child(i)
		next := high
		if ok && i+1 < p.count() {
			var after element
			after, ok = p.child(i + 1)
			next = after.key
		}
		if !ok || !within(e.key, low, next) {
			return damaged("page %d is garbled", p.id())
		}
		if err := w.tree(e.below, e.key, next, visit); err != nil {
			return err
		}
		low = next
	}
	return nil
}

// bucket visits the one thing that the root of the file has.
func (w *walk) bucket(e element) error {
	if !e.isBucket || !bytes.Equal(e.key, bucketName) || len(e.value) < headSize {
		return damaged("it holds what hanbridge did not write")
	}
	w.found = true
	if root := u64(e.value); root != 0 {
		return w.tree(root, nil, nil, w.value)
	}
	p := page(e.value[headSize:]) // A small bucket lies where others have the number of their page.
	if len(p) < headSize || p.kind() != leafPage || p.id() != 0 {
		return damaged("the page in the root is garbled")
	}
	return p.leaf(nil, nil, w.value)
}

func (w *walk) value(e element) error {
	if e.isBucket {
		return damaged("it holds what hanbridge did not write")
	}
	w.values[string(e.key)] = e.value
	return nil
}

// free visits the pages that are to be used next.
func (w *walk) free(id uint64) error {
	p, err := w.page(id)
	if err != nil {
		return err
	}
	ids, n := p[headSize:], uint64(p.count())
	if n == 0xFFFF {
		ids, n = ids[8:], u64(ids)
	}
	if p.kind() != freePage || n > uint64(len(ids))/8 {
		return damaged("the list of free pages is garbled")
	}
	for i := range n {
		if err := w.visit(u64(ids[8*i:])); err != nil {
			return err
		}
	}
	return nil
}

func within(key, low, high []byte) bool {
	return bytes.Compare(key, low) >= 0 && (high == nil || bytes.Compare(key, high) < 0)
}
