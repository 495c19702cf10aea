package ship_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/wire"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("KANGMA_SHIP_CHILD"); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// stack is a journal on disk and the embedded warehouse behind it.
type stack struct {
	journal   *journal.Journal
	warehouse *embedded.Warehouse
	shipper   *ship.Shipper
}

func openStack(dir string) (s stack, err error) {
	if s.journal, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{MaxSegmentBytes: 1 << 20, CheckpointEvery: 50 * time.Millisecond, Logger: quiet}); err != nil {
		return s, err
	}
	if s.warehouse, err = embedded.OpenWarehouse(filepath.Join(dir, "warehouse"), embedded.Options{}); err != nil {
		return s, err
	}
	s.shipper, err = ship.New(ship.Config{Node: node, Journal: s.journal, Warehouse: s.warehouse, BatchSize: 500, Linger: 20 * time.Millisecond, Logger: quiet})
	return s, err
}

// child records passages and ships them until it is killed. It tells its parent of every acknowledged one, and records
// each third one twice, as a gate does that got no answer.
func child(dir string) error {
	s, err := openStack(dir)
	if err != nil {
		return err
	}
	go s.shipper.Run(context.Background())
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(w)))
			for n := 0; ; n++ {
				p := passageAt(rnd)
				for range 1 + max(0, n%3-1) {
					if _, err := s.journal.Append(context.Background(), wire.PassageEvent(p)); err != nil {
						return
					}
				}
				mu.Lock()
				out.Write(p.ID[:])
				out.Flush()
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.New("an append failed")
}

func TestKillOfAShippingNodeLosesAndDoublesNothing(t *testing.T) {
	seed := seedOf(t)
	rnd := rand.New(rand.NewPCG(seed, 21))
	longest, kills := 800, 0
	if soak.Long() {
		longest = 3000
	}
	dir, acked := t.TempDir(), map[kangma.EventID]bool{}
	for range soak.Rounds(t, 5, 100) {
		kills++
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "KANGMA_SHIP_CHILD="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(acked)
		for r := bufio.NewReader(out); ; {
			var id kangma.EventID
			if _, err := io.ReadFull(r, id[:]); err != nil {
				break
			}
			if acked[id] = true; len(acked) == before+1 { // however long a busy machine takes to start it
				time.AfterFunc(time.Duration(100+rnd.IntN(longest))*time.Millisecond, func() { cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child ended by itself: %v", err)
		}
	}
	counted, ghosts := afterKills(t, dir, acked)
	t.Logf("seed %d: %d kills, %d passages acknowledged, %d counted once each (%d ghosts), 0 lost", seed, kills, len(acked), counted, ghosts)
}

// afterKills ships the rest and compares what was acknowledged, what the journal has and what the warehouse counts.
func afterKills(t *testing.T, dir string, acked map[kangma.EventID]bool) (counted uint64, ghosts int) {
	t.Helper()
	s, err := openStack(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.journal.Close()
	defer s.warehouse.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.shipper.Run(ctx) }()
	if err := s.shipper.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	distinct := map[kangma.EventID]bool{}
	if _, err := ship.Replay(t.Context(), s.journal, store.Mark{}, func(_ context.Context, entries []store.Entry) error {
		for _, e := range entries {
			distinct[e.Event.ID] = true
		}
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	for id := range acked {
		if !distinct[id] {
			t.Fatalf("an acknowledged passage is not in the journal")
		}
	}
	r, err := ship.Reconcile(t.Context(), s.warehouse, []ship.Source{{Node: node, Journal: s.journal}}, since, until)
	if err != nil || len(r.Differences) > 0 || r.Passages != uint64(len(distinct)) {
		t.Fatalf("the warehouse counts %d of %d passages; %d windows differ; %v", r.Passages, len(distinct), len(r.Differences), err)
	}
	return r.Passages, len(distinct) - len(acked)
}

// BenchmarkShip is how fast a backlog drains into the embedded warehouse, and into one that takes no time.
func BenchmarkShip(b *testing.B) {
	for _, kind := range []string{"embedded warehouse", "no warehouse"} {
		b.Run(kind, func(b *testing.B) {
			dir := b.TempDir()
			s, err := openStack(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer s.journal.Close()
			defer s.warehouse.Close()
			rnd := source()
			for n := 0; n < b.N; n += 1000 {
				var events []kangma.Event
				for range min(1000, b.N-n) {
					events = append(events, wire.PassageEvent(passageAt(rnd)))
				}
				if _, err := s.journal.Append(b.Context(), events...); err != nil {
					b.Fatal(err)
				}
			}
			cfg := ship.Config{Node: node, Journal: s.journal, Warehouse: s.warehouse, Logger: quiet}
			if kind == "no warehouse" {
				w := newTable(rnd, 0)
				w.insert = func(*table, store.Batch) error { return nil }
				cfg.Warehouse = w
			}
			b.ResetTimer()
			shipper, stop := start(b, cfg)
			if err := shipper.Drain(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			stop()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
