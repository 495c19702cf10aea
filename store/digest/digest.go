// Package digest tells whether two stores hold the same state: after a restore, a rebuild from the journal, or a move
// from one backend to another. It reads through the contracts only.
package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Options of State.
type Options struct {
	// Versions makes version numbers count. They differ after a rebuild that applied several events at once, while the
	// state is the same; after a restore of a backup they must be equal.
	Versions bool
	// Kinds of records that count, e.g. gate, account. The kind "applied" differs between nodes by nature.
	Kinds []string
	// Progress, if not nil, is told after each of the 256 partitions how many people were read.
	Progress func(partition int, people uint64)
}

// Digest is the state of a store: equal digests, equal states.
type Digest struct {
	People     uint64
	Records    uint64
	Partitions [store.Partitions][sha256.Size]byte // of the dossiers of each, to say where two states differ
	Kinds      map[string][sha256.Size]byte
}

// String gives one hexadecimal SHA-256 over everything.
func (d Digest) String() string {
	h := sha256.New()
	for _, p := range d.Partitions {
		h.Write(p[:])
	}
	kinds := make([]string, 0, len(d.Kinds))
	for k := range d.Kinds {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		sum := d.Kinds[k]
		h.Write([]byte(k + "\x00"))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Differs lists the partitions and kinds in which two digests differ.
func (d Digest) Differs(e Digest) (partitions []int, kinds []string) {
	for i := range d.Partitions {
		if d.Partitions[i] != e.Partitions[i] {
			partitions = append(partitions, i)
		}
	}
	for _, m := range []map[string][sha256.Size]byte{d.Kinds, e.Kinds} {
		for k := range m {
			if d.Kinds[k] != e.Kinds[k] && !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	slices.Sort(kinds)
	return partitions, kinds
}

const page = 1000

// State reads everything. It is of one moment only while nobody writes. Errors are those of the stores.
func State(ctx context.Context, people store.Dossiers, records store.Records, o Options) (d Digest, err error) {
	d.Kinds = map[string][sha256.Size]byte{}
	for p := range store.Partitions {
		n := uint64(0)
		if d.Partitions[p], n, err = partition(ctx, people, p, o.Versions); err != nil {
			return d, err
		}
		if d.People += n; o.Progress != nil {
			o.Progress(p, d.People)
		}
	}
	for _, kind := range o.Kinds {
		n := uint64(0)
		if d.Kinds[kind], n, err = ofKind(ctx, records, kind, o.Versions); err != nil {
			return d, err
		}
		d.Records += n
	}
	return d, nil
}

func partition(ctx context.Context, s store.Dossiers, p int, versions bool) (sum [sha256.Size]byte, n uint64, err error) {
	h := sha256.New()
	for after := (kangma.PersonID{}); ; {
		people, err := s.Scan(ctx, p, after, page)
		if err != nil {
			return sum, n, err
		}
		if len(people) == 0 {
			return [sha256.Size]byte(h.Sum(nil)), n, nil
		}
		for _, d := range people {
			if !versions {
				d.Version = 0
			}
			one := sha256.Sum256(wire.EncodeDossier(d)) // of fixed length, so that no two lists of people look alike
			h.Write(one[:])
			n++
		}
		after = people[len(people)-1].Person
	}
}

func ofKind(ctx context.Context, s store.Records, kind string, versions bool) (sum [sha256.Size]byte, n uint64, err error) {
	h := sha256.New()
	for q := (store.RecordQuery{Kind: kind, Limit: page}); ; {
		records, next, err := s.List(ctx, q)
		if err != nil {
			return sum, n, err
		}
		for _, r := range records {
			if !versions {
				r.Version = 0
			}
			one := sha256.Sum256(wire.EncodeRecord(r))
			h.Write(one[:])
			n++
		}
		if next == "" {
			return [sha256.Size]byte(h.Sum(nil)), n, nil
		}
		q.After = next
	}
}
