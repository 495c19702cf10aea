package journal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

// passageSized is an event as large as the one a gate writes for one scan.
func passageSized() kangma.Event {
	return kangma.Event{ID: kangma.NewEventID(time.UnixMilli(1)), Kind: kangma.EventPassage, At: time.UnixMilli(1), Data: make([]byte, 160)}
}

// BenchmarkAppend is one event a call, acknowledged after its fsync, by so many writers at once. Beside it stands the bare
// disk: one write of the same size and one fdatasync at a time, which is what the journal would do without group commit.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("journal/writers=%d", writers), func(b *testing.B) {
			j := open(b, b.TempDir(), journal.Options{})
			defer j.Close()
			b.ReportAllocs()
			each(b, writers, func(e kangma.Event) error {
				_, err := j.Append(b.Context(), e)
				return err
			})
			s := j.Stats()
			b.ReportMetric(float64(s.Appended)/float64(s.Fsyncs), "events/fsync")
		})
	}
	b.Run("bare write and fdatasync", func(b *testing.B) {
		f, err := journal.OS{}.OpenFile(filepath.Join(b.TempDir(), "bare"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		buf, off := make([]byte, 226), int64(0)
		each(b, 1, func(kangma.Event) error {
			if _, err := f.WriteAt(buf, off); err != nil {
				return err
			}
			off += int64(len(buf))
			return f.Sync()
		})
	})
}

// each runs b.N calls spread over the writers and reports calls a second.
func each(b *testing.B, writers int, call func(kangma.Event) error) {
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		n := b.N / writers
		if w < b.N%writers {
			n++
		}
		wg.Go(func() {
			e := passageSized()
			for range n {
				if err := call(e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// fill writes n events of passage size.
func fill(b *testing.B, j *journal.Journal, n int) {
	batch := make([]kangma.Event, 5000)
	for n > 0 {
		batch = batch[:min(n, len(batch))]
		for i := range batch {
			batch[i] = passageSized()
		}
		if _, err := j.Append(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
		n -= len(batch)
	}
}

// BenchmarkRecovery opens 1 GB of journal, every record checked: length, CRC32C, chain, place, time.
func BenchmarkRecovery(b *testing.B) {
	dir := b.TempDir()
	j := open(b, dir, journal.Options{})
	fill(b, j, 1<<30/226)
	j.Close()
	b.ResetTimer()
	var s journal.Stats
	for range b.N {
		j := open(b, dir, journal.Options{})
		s = j.Stats()
		j.Close()
	}
	b.ReportMetric(float64(s.Recovery.Records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(s.Recovery.Bytes), "journal-bytes")
}

// BenchmarkAfter is the shipper's way of reading: one cursor, a thousand entries a call.
func BenchmarkAfter(b *testing.B) {
	j := open(b, b.TempDir(), journal.Options{})
	defer j.Close()
	fill(b, j, 500_000)
	b.Run("in order, 1000 a call", func(b *testing.B) {
		pos, n := store.Position(0), 0
		for range b.N {
			got, err := j.After(b.Context(), pos, 1000)
			if err != nil {
				b.Fatal(err)
			}
			pos, n = pos+store.Position(len(got)), n+len(got)
			if len(got) == 0 {
				pos = 0
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("one entry anywhere", func(b *testing.B) {
		for range b.N {
			if _, err := j.After(b.Context(), store.Position(rand.IntN(499_999)), 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
