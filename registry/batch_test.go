package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
)

func TestBatchesOfTheSamePeopleAtOnceLoseNothing(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	const people, each, senders = 20, 6, 4
	ids := make([]kangma.PersonID, people)
	for i := range ids {
		var err error
		if ids[i], _, err = w.Register(ctx, registration(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			var items []registry.Item
			for i := range people * each {
				items = append(items, registry.Item{Person: ids[i%people], Evidence: negative(now.Add(-time.Duration(s*1000+i) * time.Second))})
			}
			items = append(items, registry.Item{Person: kangma.PersonID{9}, Evidence: negative(now)}) // nobody
			for range 2 {                                                                             // and the same again
				if err := w.Submit(ctx, items...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if d, err := w.Dossier(ctx, id); err != nil || len(d.Evidence) != each*senders {
			t.Errorf("%d pieces, want %d, %v", len(d.Evidence), each*senders, err)
		}
	}
}

func TestABatchThatIsNotAppliedIsNotAcknowledged(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	items := []registry.Item{{Person: id, Evidence: negative(now.Add(-time.Hour))}, {Person: id, Evidence: negative(now.Add(-2 * time.Hour))}}
	w.dossiers.set(kangma.E(kangma.Unavailable, "store", "away"))
	if err := w.Submit(ctx, items...); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("acknowledged: %v", err)
	}
	w.dossiers.set(nil)
	if err := w.Submit(ctx, items...); err != nil {
		t.Fatal(err)
	}
	if d, err := w.Dossier(ctx, id); err != nil || len(d.Evidence) != 2 {
		t.Errorf("%d pieces, %v", len(d.Evidence), err)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFeed takes NDJSON in, a thousand lines a batch, into KANGMA_PEOPLE people (default 20,000) on embedded stores, journal
// and all. The bar: 50,000 items a second on two processors, which is 40 µs of processor an item.
func BenchmarkFeed(b *testing.B) {
	people := 20_000
	if n, err := strconv.Atoi(os.Getenv("KANGMA_PEOPLE")); err == nil {
		people = n
	}
	w := open(b, b.TempDir())
	defer func() {
		if err := errors.Join(w.Close(context.Background()), w.db.Close(), w.journal.Close()); err != nil {
			b.Error(err)
		}
	}()
	w.dossiers.Dossiers = cached.New(w.db.Dossiers(), cached.Options{}) // as kangma serve does
	ids, chunk := make([]kangma.PersonID, people), []kangma.Dossier(nil)
	for i := range ids {
		ids[i] = kangma.NewPersonID()
		d := kangma.Dossier{Person: ids[i], Version: 1, Registered: now}
		d.Sealed.DataKey = []byte{1}
		if chunk = append(chunk, d); len(chunk) == 1000 || i == people-1 {
			if err := w.db.Dossiers().Update(b.Context(), store.Mark{}, chunk...); err != nil {
				b.Fatal(err)
			}
			chunk = chunk[:0]
		}
	}
	const lines = 1000
	n := 0
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		body := &bytes.Buffer{}
		for range lines {
			at := now.Add(-time.Duration(n%80_000) * time.Second)
			fmt.Fprintf(body, `{"id":%q,"kind":"test","person":%q,"observed_at":%q,"test":{"method":"pcr","result":"negative","lab":"lab-07"}}`+"\n",
				kangma.NewEventID(at), ids[n*7919%people], at.Format(time.RFC3339))
			n++
		}
		cpu -= cpuTime()
		b.StartTimer()
		res, err := w.TakeIn(b.Context(), body, feeds.Options{Provider: "cdc", Batch: fmt.Sprint("cdc/", n), Content: feeds.EvidenceContent, Format: feeds.NDJSON,
			Now: now, Retention: 60 * 24 * time.Hour}, registry.Actor{}, func(r *feeds.Record) error { b.Fatalf("%+v", r.Faults); return nil })
		if err != nil || res.Accepted != lines {
			b.Fatalf("%+v, %v", res, err)
		}
		cpu += cpuTime()
	}
	b.ReportMetric(float64(cpu)/1e3/float64(n), "cpu-µs/item")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
}
