package snapshot_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/snapshot"
	"github.com/kangma/kangma/store/storetest"
)

// BenchmarkCopy makes a copy of a state on disk and makes the state again from it; KANGMA_RESIDENTS says of how many people (20,000).
func BenchmarkCopy(b *testing.B) {
	people := 20_000
	fmt.Sscan(os.Getenv("KANGMA_RESIDENTS"), &people)
	dir := b.TempDir()
	db, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{Relaxed: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 1))
	for done := 0; done < people; done += 1000 {
		var page []kangma.Dossier
		for range 1000 {
			d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8)
			d.Version = 1
			page = append(page, d)
		}
		if err := db.Dossiers().Update(b.Context(), store.Mark{}, page...); err != nil {
			b.Fatal(err)
		}
	}
	for i := 0; b.Loop(); i++ {
		f := snapshot.Folder{Dir: filepath.Join(dir, fmt.Sprint("s", i)), Key: key}
		began := time.Now()
		e, sum, err := f.Add(b.Context(), snapshot.Head{Node: "n1", Created: created},
			snapshot.Source{Dossiers: db.Dossiers(), Records: db.Records()}, snapshot.Options{})
		if err != nil {
			b.Fatal(err)
		}
		copied := time.Since(began)
		for name, o := range map[string]embedded.Options{"": {Bulk: true}, "-relaxed": {Relaxed: true}} {
			file, _, end, err := f.Open(e)
			if err != nil {
				b.Fatal(err)
			}
			path := filepath.Join(dir, fmt.Sprint("t", i, name))
			began, cpu := time.Now(), cputime.Process()
			to, err := embedded.Open(path, o)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := snapshot.Read(b.Context(), file, key, snapshot.Target{State: to.Loader()}); err != nil {
				b.Fatal(err)
			}
			if err := errors.Join(to.Close(), end()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(people)/time.Since(began).Seconds(), "loaded/s"+name)
			b.ReportMetric(float64((cputime.Process()-cpu).Nanoseconds())/1000/float64(people), "load-cpu-µs"+name)
		}
		b.ReportMetric(float64(people)/copied.Seconds(), "copied+verified/s")
		b.ReportMetric(float64(sum.Bytes)/float64(people), "B/person")
	}
}
