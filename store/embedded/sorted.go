package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// blindEntry is one index of one person; n is the order of arrival: an index belongs to its newest owner.
type blindEntry struct {
	high, low uint64 // of the index, so that comparing is comparing numbers
	person    [16]byte
	n         uint32
}

func blindEntryOf(value, person []byte, n int) blindEntry {
	return blindEntry{binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:]), [16]byte(person), uint32(n)}
}

// value appends the index.
func (e *blindEntry) value(b []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, e.high), e.low)
}

func sortBlind(all []blindEntry) {
	slices.SortFunc(all, func(x, y blindEntry) int {
		return cmp.Or(cmp.Compare(x.high, y.high), cmp.Compare(x.low, y.low), cmp.Compare(x.n, y.n))
	})
}

// names lists records under their indexes. Its millions of entries hold no pointers, so that the garbage collector has nothing to
// look for in them, and are sorted within their kind and name, of which there are few.
type names struct {
	count int
	lists map[listName]*list
}

type listName struct{ kind, name string }

// list holds one index of one kind.
type list struct {
	texts   []byte // value and id of each entry, one after the other
	entries []nameEntry
}

type nameEntry struct {
	head      uint64 // the first 8 bytes of the value
	at        uint64 // where value and id stand
	value, id uint32 // how long each is
}

func (n *names) add(kind, name, value, id string) {
	if n.lists == nil {
		n.lists = map[listName]*list{}
	}
	l := n.lists[listName{kind, name}]
	if l == nil {
		l = &list{}
		n.lists[listName{kind, name}] = l
	}
	var head [8]byte
	copy(head[:], value)
	l.entries = append(l.entries, nameEntry{binary.BigEndian.Uint64(head[:]), uint64(len(l.texts)), uint32(len(value)), uint32(len(id))})
	l.texts = append(append(l.texts, value...), id...)
	n.count++
}

// inOrder gives the lists in the order of their kinds and names.
func (n *names) inOrder() []listName {
	all := make([]listName, 0, len(n.lists))
	for of := range n.lists {
		all = append(all, of)
	}
	slices.SortFunc(all, func(x, y listName) int { return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.name, y.name)) })
	return all
}

func (l *list) text(e *nameEntry) (value, id []byte) {
	until := e.at + uint64(e.value)
	return l.texts[e.at:until:until], l.texts[until : until+uint64(e.id)]
}

// sort puts the entries in order of value and id.
func (l *list) sort() {
	slices.SortFunc(l.entries, func(x, y nameEntry) int {
		if x.head != y.head {
			return cmp.Compare(x.head, y.head)
		}
		xv, xi := l.text(&x)
		yv, yi := l.text(&y)
		return cmp.Or(bytes.Compare(xv, yv), bytes.Compare(xi, yi))
	})
}
