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

// Packed counts one person in whose wire form the caller has. One of the present version is not decoded.
func (s *Summer) Packed(p store.Packed) error {
	raw, present := p.Data, wire.IsPresent(p.Data, p.Person)
	if present && !s.versions {
		raw, present = wire.WithoutVersion(raw)
	}
	if present {
		s.encoded(p.Person, raw)
		return nil
	}
	d, err := wire.DecodeDossier(p.Data)
	if err == nil && d.Person != p.Person {
		err = errWhose
	}
	if err == nil {
		s.Dossier(d)
	}
	return err
}

var errWhose = kangma.E(kangma.Internal, "damaged", "a stored dossier is another person's")

// Add counts in what another Summer of the same kind has counted.
func (s *Summer) Add(o *Summer) {
	for i := range s.d.Partitions {
		s.d.Partitions[i] = s.d.Partitions[i].plus(o.d.Partitions[i])
	}
	for kind, sum := range o.d.Kinds {
		s.d.Kinds[kind] = s.d.Kinds[kind].plus(sum)
	}
	s.d.People += o.d.People
	s.d.Records += o.d.Records
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
	s.record(r.Kind, wire.EncodeRecord(r))
}

// RecordEncoded is Record where the caller has the wire form besides, of which there is one only.
func (s *Summer) RecordEncoded(r store.Record, raw []byte) {
	if !s.versions || r.Deleted || r.Kind == "applied" {
		s.Record(r)
		return
	}
	s.record(r.Kind, raw)
}

// PackedRecord is Record where the caller has nothing but the wire form.
func (s *Summer) PackedRecord(p store.PackedRecord) error {
	switch {
	case p.Deleted || p.Kind == "applied":
	case s.versions:
		s.record(p.Kind, p.Data)
	default:
		r, err := wire.DecodeRecord(p.Data)
		if err != nil {
			return err
		}
		s.Record(r)
	}
	return nil
}

func (s *Summer) packedRecords(page []store.PackedRecord) error {
	for _, p := range page {
		if err := s.PackedRecord(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Summer) record(kind string, raw []byte) {
	s.d.Kinds[kind] = s.d.Kinds[kind].plus(sha256.Sum256(raw))
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
