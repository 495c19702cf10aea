package compare

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/wal"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

const size = 226 // bytes of one record, as large as a passage

func event() kangma.Event {
	return kangma.Event{ID: kangma.NewEventID(time.UnixMilli(1)), Kind: kangma.EventPassage, At: time.UnixMilli(1), Data: make([]byte, 160)}
}

// spread makes b.N calls from so many writers and reports calls a second.
func spread(b *testing.B, writers int, call func() error) {
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		n := b.N / writers
		if w < b.N%writers {
			n++
		}
		wg.Go(func() {
			for range n {
				if err := call(); err != nil {
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

// BenchmarkAppend acknowledges each record after an fsync.
func BenchmarkAppend(b *testing.B) {
	b.Run("bare write and fdatasync", func(b *testing.B) {
		f, err := journal.OS{}.OpenFile(filepath.Join(b.TempDir(), "bare"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		buf, off := make([]byte, size), int64(0)
		spread(b, 1, func() error {
			off += size
			if _, err := f.WriteAt(buf, off); err != nil {
				return err
			}
			return f.Sync()
		})
	})
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("tidwall wal/writers=%d", writers), func(b *testing.B) {
			l, err := wal.Open(filepath.Join(b.TempDir(), "wal"), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			var mu sync.Mutex // the caller gives the index, so writers take turns
			var index atomic.Uint64
			data := make([]byte, size)
			spread(b, writers, func() error {
				mu.Lock()
				defer mu.Unlock()
				return l.Write(index.Add(1), data)
			})
		})
		b.Run(fmt.Sprintf("journal/writers=%d", writers), func(b *testing.B) {
			j, err := journal.Open(b.TempDir(), journal.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			e := event()
			spread(b, writers, func() error {
				_, err := j.Append(b.Context(), e)
				return err
			})
		})
	}
}

const many = 1_000_000

// BenchmarkOpenAndRead opens a log of a million records and reads all of it.
func BenchmarkOpenAndRead(b *testing.B) {
	b.Run("tidwall wal", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "wal")
		l, err := wal.Open(dir, &wal.Options{NoSync: true, SegmentSize: 64 << 20, SegmentCacheSize: 2})
		if err != nil {
			b.Fatal(err)
		}
		data := make([]byte, size)
		var batch wal.Batch
		for i := uint64(1); i <= many; i++ {
			if batch.Write(i, data); i%1000 == 0 {
				if err := l.WriteBatch(&batch); err != nil {
					b.Fatal(err)
				}
				batch.Clear()
			}
		}
		l.Close()
		b.ResetTimer()
		for range b.N {
			l, err := wal.Open(dir, &wal.Options{SegmentSize: 64 << 20, SegmentCacheSize: 2})
			if err != nil {
				b.Fatal(err)
			}
			for i := uint64(1); i <= many; i++ {
				if _, err := l.Read(i); err != nil {
					b.Fatal(err)
				}
			}
			l.Close()
		}
		b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("journal", func(b *testing.B) {
		dir := b.TempDir()
		j, err := journal.Open(dir, journal.Options{MaxSegmentBytes: 64 << 20})
		if err != nil {
			b.Fatal(err)
		}
		events := make([]kangma.Event, 1000)
		for i := range events {
			events[i] = event()
		}
		for range many / len(events) {
			if _, err := j.Append(b.Context(), events...); err != nil {
				b.Fatal(err)
			}
		}
		j.Close()
		b.ResetTimer()
		for range b.N {
			j, err := journal.Open(dir, journal.Options{}) // checks every record
			if err != nil {
				b.Fatal(err)
			}
			for pos := store.Position(0); pos < many; {
				got, err := j.After(b.Context(), pos, 1000)
				if err != nil {
					b.Fatal(err)
				}
				pos += store.Position(len(got))
			}
			j.Close()
		}
		b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}
