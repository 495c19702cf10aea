// Package digest tells whether two stores hold the same state: after a restore, a rebuild from the journal, or a move
// from one backend to another. It reads through the contracts only.
package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Options of State.
type Options struct {
	// Versions makes version numbers count. They differ after a rebuild that applied several events at once, while the
	// state is the same; after a restore of a backup they must be equal.
	Versions bool
	// Kinds of records that count, e.g. gate, account; nil: every kind but "applied", which differs between nodes by
	// nature (the store must then be a store.Dumper).
	Kinds []string
	// Progress, if not nil, is told after each of the 256 partitions how many are done and how many people were read.
	Progress func(partitions int, people uint64)
}

// Sum is a SHA-256, or the sum of many.
type Sum [sha256.Size]byte

// Digest is the state of a store: equal digests, equal states.
type Digest struct {
	People     uint64
	Records    uint64
	Partitions [store.Partitions]Sum // of the dossiers of each, to say where two states differ
	Kinds      map[string]Sum
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
	for _, m := range []map[string]Sum{d.Kinds, e.Kinds} {
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
func State(ctx context.Context, people store.Dossiers, records store.Records, o Options) (Digest, error) {
	s, err := everybody(ctx, people, o)
	if err != nil {
		return Digest{}, err
	}
	dumper, all := records.(store.Dumper)
	if o.Kinds == nil && all {
		err := dumper.Dump(ctx, func(page []store.Record) error {
			for _, r := range page {
				s.Record(r)
			}
			return nil
		})
		return s.Digest(), err
	}
	for _, kind := range o.Kinds {
		s.kind(kind)
		if err := ofKind(ctx, records, kind, s); err != nil {
			return Digest{}, err
		}
	}
	return s.Digest(), nil
}

// everybody sums the people, several partitions at once: the sum does not depend on the order.
func everybody(ctx context.Context, people store.Dossiers, o Options) (*Summer, error) {
	total, done, mu := NewSummer(o.Versions), 0, sync.Mutex{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for p := range store.Partitions {
		g.Go(func() error {
			s := NewSummer(o.Versions)
			if err := partition(ctx, people, p, s); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			total.Add(s)
			if done++; o.Progress != nil {
				o.Progress(done, total.d.People)
			}
			return nil
		})
	}
	return total, g.Wait()
}

func partition(ctx context.Context, s store.Dossiers, p int, sum *Summer) error {
	if packed, ok := s.(store.PackedScanner); ok {
		return packedPartition(ctx, packed, p, sum)
	}
	for after := (kangma.PersonID{}); ; {
		people, err := s.Scan(ctx, p, after, page)
		if err != nil || len(people) == 0 {
			return err
		}
		for _, d := range people {
			sum.Dossier(d)
		}
		after = people[len(people)-1].Person
	}
}

// packedPartition sums people as they are stored: they are encoded in one way only, so nothing is decoded.
func packedPartition(ctx context.Context, s store.PackedScanner, p int, sum *Summer) error {
	for after := (kangma.PersonID{}); ; {
		people, err := s.ScanPacked(ctx, p, after, page)
		if err != nil || len(people) == 0 {
			return err
		}
		for _, x := range people {
			if err := sum.Packed(x); err != nil {
				return err
			}
		}
		after = people[len(people)-1].Person
	}
}

func ofKind(ctx context.Context, s store.Records, kind string, sum *Summer) error {
	for q := (store.RecordQuery{Kind: kind, Limit: page}); ; {
		records, next, err := s.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range records {
			sum.Record(r)
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}
