// Package digest tells whether two stores hold the same state: after a restore, a rebuild from the journal, or a move
// from one backend to another. It reads through the contracts only.
package digest

import (
	"cmp"
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
	t := total{o: o, sum: NewSummer(o.Versions)}
	var working context.Context
	t.work, working = errgroup.WithContext(ctx)
	t.work.SetLimit(runtime.GOMAXPROCS(0) + 1) // who reads records waits for the disk, others hash them
	dumper, all := records.(store.Dumper)
	if o.Kinds == nil && all {
		t.work.Go(func() error { return t.records(working, dumper) })
	}
	t.everybody(working, people)
	if err := t.work.Wait(); err != nil {
		return Digest{}, err
	}
	for _, kind := range o.Kinds {
		t.sum.kind(kind)
		if err := ofKind(ctx, records, kind, t.sum); err != nil {
			return Digest{}, err
		}
	}
	return t.sum.Digest(), nil
}

// total is a sum that several goroutines add to: it does not depend on the order.
type total struct {
	o    Options
	work *errgroup.Group

	mu   sync.Mutex
	sum  *Summer
	done int // partitions
}

// everybody sums the people, several partitions at once.
func (t *total) everybody(ctx context.Context, people store.Dossiers) {
	for p := range store.Partitions {
		t.work.Go(func() error {
			s := NewSummer(t.o.Versions)
			if err := partition(ctx, people, p, s); err != nil {
				return err
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			t.sum.Add(s)
			if t.done++; t.o.Progress != nil {
				t.o.Progress(t.done, t.sum.d.People)
			}
			return nil
		})
	}
}

// records sums what a dump gives, as it is stored where the store can: page by page beside the reading of the next ones.
func (t *total) records(ctx context.Context, dumper store.Dumper) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	add := func(page func(s *Summer) error) error {
		g.Go(func() error {
			s := NewSummer(t.o.Versions)
			err := page(s)
			t.mu.Lock()
			defer t.mu.Unlock()
			t.sum.Add(s)
			return err
		})
		return ctx.Err()
	}
	var err error
	if packed, ok := dumper.(store.PackedDumper); ok {
		err = packed.DumpPacked(ctx, func(page []store.PackedRecord) error {
			return add(func(s *Summer) error { return s.packedRecords(page) })
		})
	} else {
		err = dumper.Dump(ctx, func(page []store.Record) error {
			return add(func(s *Summer) error {
				for _, r := range page {
					s.Record(r)
				}
				return nil
			})
		})
	}
	return cmp.Or(g.Wait(), err)
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
