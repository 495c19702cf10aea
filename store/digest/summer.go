package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/bits"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Summer makes a Digest of dossiers and records that come in any order, each once. It is for one goroutine.
type Summer struct {
	versions bool
	d        Digest
}

// NewSummer makes one; versions as in Options.
func NewSummer(versions bool) *Summer {
	return &Summer{versions: versions, d: Digest{Kinds: map[string]Sum{}}}
}

// Dossier counts one person in.
func (s *Summer) Dossier(d kangma.Dossier) {
	if !s.versions {
		d.Version = 0
	}
	s.encoded(d.Person, wire.EncodeDossier(d))
}

// Encoded counts one person in whose wire form, of the present version, the caller has: half the work.
func (s *Summer) Encoded(d kangma.Dossier, raw []byte) {
	if !s.versions {
		s.Dossier(d)
		return
	}
	s.encoded(d.Person, raw)
}

func (s *Summer) encoded(id kangma.PersonID, raw []byte) {
	p := &s.d.Partitions[store.PartitionOf(id)]
	*p = p.plus(sha256.Sum256(raw))
	s.d.People++
}

// Record counts one record in. Tombstones and marks of journals do not count.
func (s *Summer) Record(r store.Record) {
	if r.Deleted || r.Kind == "applied" {
		return
	}
	if !s.versions {
		r.Version = 0
	}
	s.d.Kinds[r.Kind] = s.d.Kinds[r.Kind].plus(sha256.Sum256(wire.EncodeRecord(r)))
	s.d.Records++
}

// kind makes a kind count even when it has no records.
func (s *Summer) kind(k string) { s.d.Kinds[k] = s.d.Kinds[k] }

// Digest gives what was counted so far.
func (s *Summer) Digest() Digest {
	d := s.d
	d.Kinds = maps.Clone(d.Kinds)
	return d
}

// plus adds two numbers of 256 bits, the rest of division by 2^256: a sum does not depend on the order, and one that
// changed, came twice or is missing changes it.
func (a Sum) plus(b Sum) (out Sum) {
	carry := uint64(0)
	for i := len(a) - 8; i >= 0; i -= 8 {
		var v uint64
		v, carry = bits.Add64(binary.BigEndian.Uint64(a[i:]), binary.BigEndian.Uint64(b[i:]), carry)
		binary.BigEndian.PutUint64(out[i:], v)
	}
	return out
}
