package areas

import (
	"math/bits"

	"github.com/kangma/kangma"
)

// divisionMap finds the node of a division by open addressing: a look-up asks up to five times, so a general map would be
// a good part of it.
type divisionMap struct {
	slots []divisionSlot
	shift uint8
}

type divisionSlot struct {
	division kangma.Division // 0: free
	node     uint32
}

func newDivisionMap(from map[kangma.Division]uint32) divisionMap {
	size := slotsFor(len(from))
	m := divisionMap{make([]divisionSlot, size), uint8(64 - bits.TrailingZeros(uint(size)))}
	for _, d := range sortedKeys(from) {
		i := m.first(d)
		for m.slots[i].division != 0 {
			i = (i + 1) & (size - 1)
		}
		m.slots[i] = divisionSlot{d, from[d]}
	}
	return m
}

// slotsFor gives a power of two with room for twice n.
func slotsFor(n int) int { return 1 << bits.Len(uint(2*n+1)) }

// first spreads by multiplication with 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
func (m *divisionMap) first(d kangma.Division) int {
	return int(uint64(d) * 0x9E3779B97F4A7C15 >> m.shift)
}

func (m *divisionMap) find(d kangma.Division) (node uint32, ok bool) {
	if len(m.slots) == 0 {
		return 0, false
	}
	for i := m.first(d); ; i = (i + 1) & (len(m.slots) - 1) {
		s := &m.slots[i]
		if s.division == d {
			return s.node, d != 0
		}
		if s.division == 0 {
			return 0, false
		}
	}
}

// keyMap finds where the keys of one hash begin in one node's part of Table.keys, by open addressing over all nodes.
type keyMap struct {
	slots []uint32 // positions in keys plus 1; 0: free
	shift uint8
}

func newKeyMap(nodes []node, keys []key) keyMap {
	size := slotsFor(len(keys))
	m := keyMap{make([]uint32, size), uint8(64 - bits.TrailingZeros(uint(size)))}
	for n := range nodes {
		for k := nodes[n].keys[0]; k < nodes[n].keys[1]; k++ {
			if k > nodes[n].keys[0] && keys[k].hash == keys[k-1].hash {
				continue // a run is found by its first
			}
			i := m.first(keys[k].hash, nodes[n].keys[0])
			for m.slots[i] != 0 {
				i = (i + 1) & (size - 1)
			}
			m.slots[i] = k + 1
		}
	}
	return m
}

func (m *keyMap) first(hash uint64, group uint32) int {
	return int((hash ^ uint64(group)<<32) * 0x9E3779B97F4A7C15 >> m.shift)
}

// find gives the keys of a hash in a node; empty where there are none.
func (t *Table) find(n *node, hash uint64) []key {
	from, to := n.keys[0], n.keys[1]
	for i := t.byText.first(hash, from); t.byText.slots[i] != 0; i = (i + 1) & (len(t.byText.slots) - 1) {
		k := t.byText.slots[i] - 1
		if k < from || k >= to || t.keys[k].hash != hash {
			continue
		}
		end := k + 1
		for end < to && t.keys[end].hash == hash {
			end++
		}
		return t.keys[k:end]
	}
	return nil
}
