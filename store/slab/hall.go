package slab

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pieces of tables that have many are cut from halls: one after the other, of memory that is asked to lie in huge pages (2 MiB where an
// ordinary one has 4 KiB). Who reads anybody of a million otherwise waits for the processor to find the page of nearly every block.
// It is memory of the heap like any other: counted by it, given back by the collector once no table uses any piece of it. Where the
// system has no huge pages, or gives none, it lies in ordinary ones.

const (
	hallSize = 16 << 20
	hugePage = 2 << 20
	hallFrom = 64 // pieces of a table before: small tables have no need of it
)

var hall struct {
	sync.Mutex
	rest []byte
}

// piece gives zeros for a table that has so many pieces.
func piece(bytes, has int) []byte {
	if has < hallFrom || bytes > hallSize/16 {
		return make([]byte, bytes)
	}
	hall.Lock()
	defer hall.Unlock()
	if len(hall.rest) < bytes {
		hall.rest = make([]byte, hallSize)
		advise(hall.rest)
	}
	p := hall.rest[:bytes:bytes]
	hall.rest = hall.rest[bytes:]
	return p
}

// advise asks for huge pages in what of b can be in whole ones.
func advise(b []byte) {
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (hugePage - 1))
	if whole := (len(b) - skip) &^ (hugePage - 1); skip < len(b) && whole > 0 {
		_ = unix.Madvise(b[skip:skip+whole], unix.MADV_HUGEPAGE)
	}
}
