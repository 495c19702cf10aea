package slab

import (
	"math/rand/v2"
	"testing"
)

// TestTheIndexFindsWhatCollides plays puts and deletes of few hashes, also around the end of the slots, into an index and a map.
func TestTheIndexFindsWhatCollides(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x, want := newIndex(), map[uint32]uint32{} // block to hash
	hashes := []uint32{0, 1, 1 << 28, 1<<32 - 1, 1<<32 - 2, 0xf000_0000, 0xe000_0000}
	for step := range 20_000 {
		ref := 1 + r.Uint32N(60)
		if h, there := want[ref]; there {
			x.delete(h, ref)
			delete(want, ref)
		} else {
			want[ref] = hashes[r.IntN(len(hashes))]
			x.put(want[ref], ref)
		}
		full := 0
		for _, slot := range x.slots {
			if slot != 0 {
				full++
			}
		}
		if x.len != len(want) || full != len(want) {
			t.Fatalf("step %d: %d counted, %d slots taken, want %d", step, x.len, full, len(want))
		}
		for ref, h := range want {
			at := x.home(h)
			for x.slots[at] != uint64(h)<<32|uint64(ref) {
				if x.slots[at] == 0 {
					t.Fatalf("step %d: block %d of hash %x is not found", step, ref, h)
				}
				at = x.next(at)
			}
		}
	}
}

// TestPiecesOfHallsAreZeroAndApart writes into many pieces and looks at what the others hold.
func TestPiecesOfHallsAreZeroAndApart(t *testing.T) {
	const bytes, many = 300_000, 100 // more than one hall has
	var pieces [][]byte
	for i := range many {
		p := piece(bytes, hallFrom+i)
		if len(p) != bytes || cap(p) != bytes {
			t.Fatalf("piece %d has %d bytes and room for %d, want %d", i, len(p), cap(p), bytes)
		}
		for at, b := range p {
			if b != 0 {
				t.Fatalf("piece %d holds %d at %d", i, b, at)
			}
		}
		for at := range p {
			p[at] = byte(i + 1)
		}
		pieces = append(pieces, p)
	}
	for i, p := range pieces {
		if p[0] != byte(i+1) || p[bytes-1] != byte(i+1) {
			t.Errorf("piece %d was overwritten by another", i)
		}
	}
}
