package slab

import "hash/maphash"

// index finds the first block of a value by the hash of its key. A slot of eight bytes holds 32 bits of the hash and the block's
// number and one; the key itself is in the block, where its reader goes next anyhow. Who collides stands in the next slot (linear
// probing); what is deleted leaves no gap. Go's map takes two further lines of memory for each look and half as much room again.
type index struct {
	slots []uint64 // 0: empty; as many as a power of two
	len   int
	bits  int // of the hash that say where to begin
	hand  int // from where any looks
	seed  maphash.Seed
}

func newIndex() index { return index{slots: make([]uint64, 8), bits: 3, seed: maphash.MakeSeed()} }

func (x *index) hash(key []byte) uint32 { return uint32(maphash.Bytes(x.seed, key) >> 32) }

// start gives where the search for a key begins, and its hash.
func (x *index) start(key []byte) (at int, h uint32) {
	h = x.hash(key)
	return x.home(h), h
}

func (x *index) home(h uint32) int { return int(h >> (32 - x.bits)) }

func (x *index) next(at int) int { return (at + 1) & (len(x.slots) - 1) }

// put adds a block whose key is not there.
func (x *index) put(h uint32, ref uint32) {
	if x.len >= len(x.slots)/4*3 && x.bits < 31 {
		x.grow()
	}
	x.len++
	x.place(uint64(h)<<32 | uint64(ref))
}

func (x *index) place(slot uint64) {
	at := x.home(uint32(slot >> 32))
	for x.slots[at] != 0 {
		at = x.next(at)
	}
	x.slots[at] = slot
}

func (x *index) grow() {
	old := x.slots
	x.slots, x.bits = make([]uint64, 2*len(old)), x.bits+1
	for _, slot := range old {
		if slot != 0 {
			x.place(slot)
		}
	}
}

// delete takes a block out that is there. Those behind it that stand there because their places were taken move up.
func (x *index) delete(h uint32, ref uint32) {
	at := x.home(h)
	for x.slots[at] != uint64(h)<<32|uint64(ref) {
		at = x.next(at)
	}
	x.len--
	mask := len(x.slots) - 1
	for look := x.next(at); x.slots[look] != 0; look = x.next(look) {
		if home := x.home(uint32(x.slots[look] >> 32)); (look-home)&mask >= (look-at)&mask {
			x.slots[at] = x.slots[look]
			at = look
		}
	}
	x.slots[at] = 0
}

// any gives one block, another each time; 0: there is none.
func (x *index) any() uint32 {
	for x.len > 0 {
		x.hand = x.next(x.hand & (len(x.slots) - 1))
		if slot := x.slots[x.hand]; slot != 0 {
			return uint32(slot)
		}
	}
	return 0
}
