package state_test

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// TestOpenLies damages every page of a kind, those in use among them, so that the checksums of bbolt are right and what they stand over is
// not. Each of these would make bbolt end the program, never return, or lose or mix up values later.
func TestOpenLies(t *testing.T) {
	u16, u32, u64 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint32, binary.NativeEndian.PutUint64
	const branch, leaf, free = 1, 2, 16
	tests := []struct {
		name string
		of   string // which of the pasts has such pages
		lie  func(file []byte)
	}{
		{"more pages than memory", "small", metas(func(b []byte) { u64(b[40:], 1<<36) })},
		{"pages without number", "small", metas(func(b []byte) { u64(b[40:], 1<<63) })},
		{"no page", "small", metas(func(b []byte) { u64(b[40:], 0) })},
		{"root past the end", "small", metas(func(b []byte) { u64(b[16:], 1<<40) })},
		{"root is a meta", "small", metas(func(b []byte) { u64(b[16:], 1) })},
		{"root is the list of free pages", "small", metas(func(b []byte) { copy(b[16:24], b[32:40]) })},
		{"free pages not kept", "small", metas(func(b []byte) { u64(b[32:], 1<<64-1) })},
		{"free pages are the root", "small", metas(func(b []byte) { copy(b[32:40], b[16:24]) })},
		{"another page size", "small", metas(func(b []byte) { u32(b[8:], 1<<30) })},
		{"endless list of free pages", "large", each(free, func(p []byte) { u16(p[10:], 0xFFFF); u64(p[16:], 1<<40) })},
		{"long list of free pages", "large", each(free, func(p []byte) { u16(p[10:], 0xFFFE) })},
		{"everything is free", "large", each(free, func(p []byte) {
			u16(p[10:], 30)
			for i := range 30 {
				u64(p[16+8*i:], uint64(i+2))
			}
		})},
		{"list of free pages of another kind", "large", each(free, func(p []byte) { u16(p[8:], leaf) })},
		{"a meta is free", "large", each(free, func(p []byte) { u64(p[16:], 1) })},
		{"branch to itself", "large", each(branch, func(p []byte) { copy(p[24:32], p[:8]) })},
		{"branch to nowhere", "large", each(branch, func(p []byte) { u16(p[10:], 0) })},
		{"branch past the end", "large", each(branch, func(p []byte) { u64(p[24:], 1<<50) })},
		{"branches without end", "large", each(branch, func(p []byte) { u16(p[10:], 0xFFFF) })},
		{"keys of a branch in disorder", "large", each(branch, swap)},
		{"key of a branch too great", "large", each(branch, func(p []byte) { p[16+binary.NativeEndian.Uint32(p[16:])] = 0xFF })},
		{"key of a branch too long", "large", each(branch, func(p []byte) { u32(p[20:], 1<<31) })},
		{"key of a branch empty", "large", each(branch, func(p []byte) { u32(p[20:], 0) })},
		{"leaves without end", "large", each(leaf, func(p []byte) { u16(p[10:], 0xFFFF) })},
		{"leaves without their last", "large", each(leaf, func(p []byte) { u16(p[10:], binary.NativeEndian.Uint16(p[10:])-1) })},
		{"keys of a leaf in disorder", "large", each(leaf, swap)},
		{"pages too long", "large", each(leaf, func(p []byte) { u32(p[12:], 5) })},
		{"pages longer than the file", "large", each(leaf, func(p []byte) { u32(p[12:], 1<<32-1) })},
		{"another kind of value", "large", each(leaf, func(p []byte) {
			if !bytes.Contains(p, []byte("hanbridge")) {
				u32(p[16:], 3)
			}
		})},
		{"a bucket for a value", "large", each(leaf, func(p []byte) { u32(p[16:], 1) })},
		{"a value for the bucket", "small", each(leaf, func(p []byte) { u32(p[16:], 0) })},
		{"value far away", "large", each(leaf, func(p []byte) { u32(p[20:], 1<<31) })},
		{"value without end", "large", each(leaf, func(p []byte) { u32(p[28:], 1<<32-1) })},
		{"bucket cut short", "small", each(leaf, func(p []byte) { u32(p[28:], 15) })},
		{"page in the root cut short", "small", each(leaf, func(p []byte) { u32(p[28:], 16+7) })},
		{"page in the root says where it is", "small", inRoot(func(p []byte) { u64(p, 3) })},
		{"page in the root is a branch", "small", inRoot(func(p []byte) { u16(p[8:], branch) })},
		{"bucket of another name", "small", each(leaf, func(p []byte) { copy(p[32:], "HANBRIDGE") })},
		{"later version", "large", each(leaf, func(p []byte) {
			if at := bytes.Index(p, []byte("\x00contents")); at >= 0 {
				p[at+len("\x00contents")] = 9
			}
		})},
		{"no bucket", "small", each(leaf, func(p []byte) { u16(p[10:], 0) })},
	}
	all := pasts(t)
	for _, tt := range tests {
		p := all[0]
		if tt.of == "large" {
			p = all[1]
		}
		file := bytes.Clone(p.file)
		tt.lie(file)
		if bytes.Equal(file, p.file) {
			t.Errorf("%s: nothing was changed", tt.name)
		}
		if !judge(t, tt.name, p, file) || state.Read(file) == nil {
			t.Errorf("%s: not told", tt.name)
		}
	}
}

// metas changes the beginnings of the last two commits, and mends their checksums.
func metas(change func(meta []byte)) func([]byte) {
	return func(file []byte) {
		for _, at := range []int{16, page + 16} {
			meta := file[at : at+64]
			change(meta)
			h := fnv.New64a()
			_, _ = h.Write(meta[:56])
			binary.NativeEndian.PutUint64(meta[56:], h.Sum64())
		}
	}
}

// each changes all pages of a kind.
func each(kind uint16, change func(page []byte)) func([]byte) {
	return func(file []byte) {
		for at := 2 * page; at+page <= len(file); at += page {
			if p := file[at : at+page]; binary.NativeEndian.Uint16(p[8:]) == kind && binary.NativeEndian.Uint64(p) == uint64(at/page) {
				change(p)
			}
		}
	}
}

// inRoot changes the page that lies in the bucket of every root.
func inRoot(change func(page []byte)) func([]byte) {
	return each(2, func(p []byte) {
		if at := bytes.Index(p, []byte("hanbridge")); at >= 0 {
			change(p[at+len("hanbridge")+16:])
		}
	})
}

// swap exchanges the first two elements of a page, with all that is theirs.
func swap(p []byte) {
	if binary.NativeEndian.Uint16(p[10:]) < 2 {
		return
	}
	position := 16 // of the position in an element, which counts from there
	if binary.NativeEndian.Uint16(p[8:]) == 2 {
		position += 4
	}
	first := bytes.Clone(p[16:32])
	copy(p[16:32], p[32:48])
	copy(p[32:48], first)
	add := func(at, n int) {
		binary.NativeEndian.PutUint32(p[at:], uint32(int(binary.NativeEndian.Uint32(p[at:]))+n))
	}
	add(position, 16)
	add(position+16, -16)
}
