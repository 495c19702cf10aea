package registry

import (
	"encoding/binary"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/slab"
)

// Shown is what a screen shows of who a person is.
type Shown struct {
	MaskedName string
	IDTail     string // last four of the document
}

// Shown opens a person's identity for a screen. What was opened of a version of a dossier is remembered, masked as it is
// shown, so that the keys are not turned for every request. kangma.NotFound: erased.
func (s *Service) Shown(d *kangma.Dossier) (Shown, error) {
	if v, ok := s.shown.get(d.Person, d.Version); ok {
		return v, nil
	}
	id, err := s.cfg.Sealer.Open(d.Person, d.Sealed)
	if err != nil {
		return Shown{}, err
	}
	v := Shown{MaskedName: id.Name.Masked(), IDTail: id.Number.Tail()}
	s.shown.put(d.Person, d.Version, v)
	return v, nil
}

// shownMemory remembers in few bytes what was opened, and is bounded: where a shard is full, any other person goes.
type shownMemory struct {
	shards [64]struct {
		mu sync.Mutex
		of *slab.Table[kangma.PersonID] // the dossier's version, the length of the name, the name, the tail
	}
}

const (
	shownShard = 2 << 20 // bytes: two million people in all, 128 MiB
	shownBlock = 48      // one for a name of up to four characters
)

func (m *shownMemory) get(id kangma.PersonID, version uint64) (Shown, bool) {
	var room [128]byte
	s := &m.shards[id[15]%64]
	s.mu.Lock()
	if s.of == nil {
		s.mu.Unlock()
		return Shown{}, false
	}
	v, ok := s.of.Append(room[:0], id)
	s.mu.Unlock()
	if !ok {
		return Shown{}, false
	}
	was, n := binary.Uvarint(v)
	name, w := binary.Uvarint(v[n:])
	text := string(v[n+w:])
	return Shown{MaskedName: text[:name], IDTail: text[name:]}, was == version
}

func (m *shownMemory) put(id kangma.PersonID, version uint64, v Shown) {
	var room [128]byte
	b := binary.AppendUvarint(room[:0], version)
	b = binary.AppendUvarint(b, uint64(len(v.MaskedName)))
	b = append(append(b, v.MaskedName...), v.IDTail...)
	s := &m.shards[id[15]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = slab.New[kangma.PersonID](shownBlock, shownShard)
	}
	s.of.Put(id, b)
}
