// Package slab keeps byte strings by key in memory that the garbage collector does not look into: an index without pointers
// and blocks of one size in a few large pieces. A million people kept as objects of their own cost a quarter to two fifths of the
// processor under load, since each run of the collector looks at each of them; kept so they cost next to nothing (docs/adr/0021).
package slab

import "encoding/binary"

const (
	chunkBlocks = 128
	linkSize    = 4  // of the next block of the same value: its number and one; 0: there is none
	lengthSize  = 4  // in the first block, after the link: of the whole value
	keySize     = 16 // in the first block, after the length
	headSize    = linkSize + lengthSize + keySize
	keyCost     = 16 // of the index, about
)

// Table keeps byte strings by key, in at most so many bytes. Values never share bytes, and a key finds its own value or none: the
// whole key is compared. What is deleted or replaced is overwritten with zeros. A Table is for one caller at a time. Make it
// with New.
type Table[K ~[16]byte] struct {
	index  index // to the first block
	chunks [][]byte
	free   uint32 // the first of those that hold nothing
	size   int    // of a block, in bytes
	used   int    // blocks
	most   int64  // bytes of blocks and keys
}

// New gives an empty table of blocks of so many bytes (32 at least), which takes most bytes in all. A value takes whole blocks: 24
// bytes less than that of the first, which holds the key too, four bytes less of the others.
func New[K ~[16]byte](block int, most int64) *Table[K] {
	return &Table[K]{index: newIndex(), size: max(block, headSize+8), most: most}
}

// Len is how many keys there are.
func (t *Table[K]) Len() int { return t.index.len }

// Bytes is what the values and their keys take, about.
func (t *Table[K]) Bytes() int64 { return int64(t.used)*int64(t.size) + int64(t.index.len)*keyCost }

// Has reports whether there is a value of k.
func (t *Table[K]) Has(k K) bool {
	return t.find(k) != 0
}

// Append appends the value of k to b.
func (t *Table[K]) Append(b []byte, k K) ([]byte, bool) {
	ref := t.find(k)
	if ref == 0 {
		return b, false
	}
	block := t.block(ref)
	left := int(binary.LittleEndian.Uint32(block[linkSize:]))
	for at := headSize; ; at = linkSize {
		part := block[at:]
		if len(part) >= left {
			return append(b, part[:left]...), true
		}
		b = append(b, part...)
		left -= len(part)
		// Nearly always it is the block behind. Where that is so, it is found by counting and not by what was read, so that the
		// processor fetches the blocks of a value side by side and not one after the other.
		if next := binary.LittleEndian.Uint32(block); next == ref+1 {
			ref++
		} else {
			ref = next
		}
		block = t.block(ref)
	}
}

// Fits reports whether a value of so many bytes finds room beside everything that is there.
func (t *Table[K]) Fits(bytes int) bool { return t.Bytes()+t.cost(bytes) <= t.most }

// cost is what a value of so many bytes takes.
func (t *Table[K]) cost(bytes int) int64 { return int64(t.blocks(bytes))*int64(t.size) + keyCost }

func (t *Table[K]) blocks(bytes int) int {
	room := t.size - linkSize
	return max(1, (bytes+lengthSize+keySize+room-1)/room)
}

// Put keeps v under k, in place of what was there. Where there is no room any others go; what is larger than the whole
// table is not kept.
func (t *Table[K]) Put(k K, v []byte) {
	t.Delete(k)
	if t.cost(len(v)) > t.most {
		return
	}
	for !t.Fits(len(v)) {
		t.Evict()
	}
	n := t.blocks(len(v))
	ref := t.take()
	t.index.put(t.index.hash(k[:]), ref)
	t.used += n
	block := t.block(ref)
	binary.LittleEndian.PutUint32(block[linkSize:], uint32(len(v)))
	copy(block[linkSize+lengthSize:], k[:])
	v = v[copy(block[headSize:], v):]
	for n--; n > 0; n-- {
		next := t.take()
		binary.LittleEndian.PutUint32(block, next)
		block = t.block(next)
		v = v[copy(block[linkSize:], v):]
	}
}

// find gives the first block's number and one; 0: there is none.
func (t *Table[K]) find(k K) uint32 {
	for at, h := t.index.start(k[:]); ; at = t.index.next(at) {
		switch slot := t.index.slots[at]; {
		case slot == 0:
			return 0
		case uint32(slot>>32) == h && K(t.block(uint32(slot))[linkSize+lengthSize:headSize]) == k:
			return uint32(slot)
		}
	}
}

// Evict lets go of any one value.
func (t *Table[K]) Evict() {
	if ref := t.index.any(); ref != 0 {
		t.Delete(K(t.block(ref)[linkSize+lengthSize : headSize]))
	}
}

// Delete lets go of the value of k.
func (t *Table[K]) Delete(k K) {
	ref := t.find(k)
	if ref == 0 {
		return
	}
	t.index.delete(t.index.hash(k[:]), ref)
	for ref != 0 {
		block := t.block(ref)
		next := binary.LittleEndian.Uint32(block)
		clear(block)
		binary.LittleEndian.PutUint32(block, t.free)
		t.free, ref = ref, next
		t.used--
	}
}

// block gives a block by its number and one.
func (t *Table[K]) block(ref uint32) []byte {
	i := int(ref - 1)
	from := i % chunkBlocks * t.size
	return t.chunks[i/chunkBlocks][from : from+t.size : from+t.size]
}

// take gives a block that holds nothing, without a link.
func (t *Table[K]) take() uint32 {
	if t.free == 0 {
		from := uint32(len(t.chunks) * chunkBlocks)
		t.chunks = append(t.chunks, piece(chunkBlocks*t.size, len(t.chunks)))
		for i := uint32(chunkBlocks); i > 0; i-- { // in order, so that a value lies together
			binary.LittleEndian.PutUint32(t.block(from+i), t.free)
			t.free = from + i
		}
	}
	ref := t.free
	block := t.block(ref)
	t.free = binary.LittleEndian.Uint32(block)
	binary.LittleEndian.PutUint32(block, 0)
	return ref
}
