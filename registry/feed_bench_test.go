package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
)

// cpuTime is the processor time of this process, or of this thread.
func cpuTime(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFeed takes NDJSON in, a thousand lines a batch, into KANGMA_PEOPLE people (default 20,000) who have an identity and
// four tests, on embedded stores, journal and all, until everything is stored. The bar: 50,000 items a second on two
// processors, which is 40 µs of processor an item. KANGMA_COLD=1 does not fill the memory first; KANGMA_THROUGH=1 stores
// every change at once.
func BenchmarkFeed(b *testing.B) {
	people := 20_000
	if n, err := strconv.Atoi(os.Getenv("KANGMA_PEOPLE")); err == nil {
		people = n
	}
	w := open(b, b.TempDir())
	opt := cached.Options{Entries: people + people/4, Behind: 1 << 30}
	if os.Getenv("KANGMA_THROUGH") != "" {
		opt.Behind = 0
	}
	memory := cached.New(w.db.Dossiers(), opt) // as kangma serve does
	w.dossiers.Dossiers = memory
	defer func() {
		if err := errors.Join(w.Close(context.Background()), memory.Close(), w.db.Close(), w.journal.Close()); err != nil {
			b.Error(err)
		}
	}()
	ids := fillFeed(b, w, people)
	if os.Getenv("KANGMA_COLD") == "" {
		if err := memory.Warm(b.Context(), func(context.Context) error { return nil }, func(int64) {}); err != nil {
			b.Fatal(err)
		}
	}
	const lines = 1000
	n := 0
	runtime.LockOSThread() // so that the making of the lines can be left out
	runtime.GC()
	cpu := -cpuTime(syscall.RUSAGE_SELF)
	for b.Loop() {
		b.StopTimer()
		making := cpuTime(syscall.RUSAGE_THREAD)
		body := &bytes.Buffer{}
		for range lines {
			at := now.Add(-time.Duration(n%80_000) * time.Second)
			fmt.Fprintf(body, `{"id":%q,"kind":"test","person":%q,"observed_at":%q,"test":{"method":"pcr","result":"negative","lab":"lab-07"}}`+"\n",
				kangma.NewEventID(at), ids[n*7919%people], at.Format(time.RFC3339))
			n++
		}
		cpu -= cpuTime(syscall.RUSAGE_THREAD) - making
		b.StartTimer()
		res, err := w.TakeIn(b.Context(), body, feeds.Options{Provider: "cdc", Batch: fmt.Sprint("cdc/", n), Content: feeds.EvidenceContent, Format: feeds.NDJSON,
			Now: now, Retention: 60 * 24 * time.Hour}, registry.Actor{}, func(r *feeds.Record) error { b.Fatalf("%+v", r.Faults); return nil })
		if err != nil || res.Accepted != lines {
			b.Fatalf("%+v, %v", res, err)
		}
	}
	if err := memory.Flush(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpu+cpuTime(syscall.RUSAGE_SELF))/1e3/float64(n), "cpu-µs/item")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
}

// fillFeed stores people in the order in which they registered, which is not that of their ids.
func fillFeed(b *testing.B, w *town, people int) []kangma.PersonID {
	b.Helper()
	ids, chunk := make([]kangma.PersonID, people), []kangma.Dossier(nil)
	for i := range ids {
		ids[i] = kangma.NewPersonID()
		d := kangma.Dossier{Person: ids[i], Version: 1, Registered: now.AddDate(0, 0, -80), Home: kangma.Place{Division: 441502000}}
		d.Sealed = kangma.SealedIdentity{DataKey: make([]byte, 60), KeyID: "file-1", Revision: 1, Fields: map[string][]byte{"identity": make([]byte, 70)}}
		x := kangma.BlindIndex(ids[i])
		x[15]++
		d.Sealed.Indexes = []kangma.BlindIndex{kangma.BlindIndex(ids[i]), x}
		for day := 8; day > 0; day -= 2 {
			e := kangma.Evidence{Kind: kangma.KindTest, Observed: now.Add(-time.Duration(day*24) * time.Hour), Source: "cdc", Batch: "cdc/" + strconv.Itoa(i/1000),
				Test: &kangma.Test{Method: "pcr", Result: "negative", Lab: "lab-07"}}
			e.ID, e.Received = kangma.NewEventID(e.Observed), e.Observed.Add(time.Hour)
			d.Evidence = append(d.Evidence, e)
		}
		if chunk = append(chunk, d); len(chunk) == 1000 || i == people-1 {
			if err := w.db.Dossiers().Update(b.Context(), store.Mark{}, chunk...); err != nil {
				b.Fatal(err)
			}
			chunk = chunk[:0]
		}
	}
	return ids
}
