package snapshot_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/snapshot"
)

// oneByOne is a store whose pages hold one person, all of them in the first partition.
type oneByOne struct {
	store.Dossiers
	people byte
}

func (o oneByOne) Scan(_ context.Context, partition int, after kangma.PersonID, _ int) ([]kangma.Dossier, error) {
	if partition > 0 || after[15] == o.people {
		return nil, nil
	}
	after[15]++
	time.Sleep(time.Millisecond)
	return []kangma.Dossier{{Person: after, Version: 1}}, nil
}

// TestRestingAndStandingBackDoNotLengthenEachOther makes a copy that rests and stands back for requests that never end: it waits three
// times as long as has passed since it was last let go on, which may be its own rest.
func TestRestingAndStandingBackDoNotLengthenEachOther(t *testing.T) {
	db, _ := town(t, 0)
	went := time.Now()
	yield := func(ctx context.Context) error {
		defer func() { went = time.Now() }()
		select {
		case <-time.After(min(3*time.Since(went), 5*time.Second)):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second) // it takes a fraction of a second
	defer stop()
	src := snapshot.Source{Dossiers: oneByOne{people: 20}, Records: db.Records()}
	if _, _, err := snapshot.Write(ctx, io.Discard, snapshot.Key{}, snapshot.Head{Node: "n"}, src, snapshot.Options{Rest: 3, Yield: yield}); err != nil {
		t.Errorf("a copy of 20 people does not end: %v", err)
	}
}

// TestACopyStandsBackToItsEnd counts what is asked while people, records and the reading back are done.
func TestACopyStandsBackToItsEnd(t *testing.T) {
	db, _ := town(t, 0)
	f := snapshot.Folder{Dir: filepath.Join(t.TempDir(), "snapshots"), Key: key}
	before, after := 0, 0
	yield := func(context.Context) error {
		if there, _ := filepath.Glob(filepath.Join(f.Dir, "*.kms")); len(there) > 0 {
			after++
		} else {
			before++
		}
		return nil
	}
	src := snapshot.Source{Dossiers: oneByOne{}, Records: db.Records()} // nobody: once a partition
	if _, _, err := f.Add(t.Context(), snapshot.Head{Node: "n"}, src, snapshot.Options{Yield: yield}); err != nil {
		t.Fatal(err)
	}
	if before <= store.Partitions || after == 0 {
		t.Errorf("asked %d times before the copy was written and %d times while it was read back", before, after)
	}
}
