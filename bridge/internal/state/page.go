package state

import (
	"bytes"
	"encoding/binary"
)

// A page is one of a file, with those that it flows over into, from its head to its end.
type page []byte

func (p page) id() uint64   { return u64(p) }
func (p page) kind() uint16 { return binary.NativeEndian.Uint16(p[8:]) }
func (p page) count() int   { return int(binary.NativeEndian.Uint16(p[10:])) }
func (p page) more() uint32 { return u32(p[12:]) }

// An element of a page is a key with a value, or with the number of the page below.
type element struct {
	key, value []byte
	isBucket   bool
	below      uint64
}

// leaf visits the elements of a leaf, whose keys grow from low on and stay before high.
func (p page) leaf(low, high []byte, visit func(element) error) error {
	for i := range p.count() {
		e, ok := p.element(i)
		if !ok || !within(e.key, low, high) {
			return damaged("page %d is garbled", p.id())
		}
		if err := visit(e); err != nil {
			return err
		}
		low = append(bytes.Clone(e.key), 0) // the least key that is greater
	}
	return nil
}

// element returns the element i of a leaf, or false where it is not within the page.
func (p page) element(i int) (element, bool) {
	at, ok := p.entry(i)
	if !ok || u32(at) > 1 {
		return element{}, false
	}
	key, ok := cut(at, u32(at[4:]), 0, u32(at[8:]))
	value, fits := cut(at, u32(at[4:]), u32(at[8:]), u32(at[12:]))
	return element{key: key, value: value, isBucket: u32(at) == 1}, ok && fits
}

// child returns the element i of a branch, or false where it is not within the page.
func (p page) child(i int) (element, bool) {
	at, ok := p.entry(i)
	if !ok {
		return element{}, false
	}
	key, ok := cut(at, u32(at), 0, u32(at[4:]))
	return element{key: key, below: u64(at[8:])}, ok && len(key) > 0
}

// entry returns the page from the entry of element i on: positions count from there.
func (p page) entry(i int) ([]byte, bool) {
	start := headSize * (1 + i)
	if start+headSize > len(p) {
		return nil, false
	}
	return p[start:], true
}

// cut returns the n bytes that begin skip bytes behind pos, or false where b is shorter.
func cut(b []byte, pos, skip, n uint32) ([]byte, bool) {
	start := uint64(pos) + uint64(skip)
	if start+uint64(n) > uint64(len(b)) {
		return nil, false
	}
	return b[start : start+uint64(n)], true
}
