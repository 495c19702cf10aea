package registry_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/wire"
)

// colourOf judges one dossier.
type colourOf func(d *kangma.Dossier, at time.Time) any

// hashOf hashes every dossier without its version, and everyone's answer at three moments.
func hashOf(t *testing.T, people store.Dossiers, records store.Records, judge colourOf) string {
	t.Helper()
	d, err := digest.State(t.Context(), people, records, digest.Options{Kinds: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for p := range store.Partitions {
		page, err := people.Scan(t.Context(), p, kangma.PersonID{}, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page {
			for _, at := range []time.Time{now.Add(-24 * time.Hour), now, now.Add(72 * time.Hour)} {
				raw, err := json.Marshal(judge(&one, at))
				if err != nil {
					t.Fatal(err)
				}
				h.Write(raw)
			}
		}
	}
	return fmt.Sprintf("%s %x", d, h.Sum(nil))
}

// replayed applies a journal to empty stores, some entries at a time.
func replayed(t *testing.T, entries []store.Entry, chunk int, judge colourOf, order func([]store.Entry)) string {
	t.Helper()
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := registry.NewApplier(db.Dossiers(), db.Records())
	for part := range slices.Chunk(slices.Clone(entries), chunk) {
		order(part)
		for range 2 { // twice is once
			if err := a.Apply(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
	}
	return hashOf(t, db.Dossiers(), db.Records(), judge)
}

// busyTown is a town in which many took in evidence at once, people moved and some were erased.
func busyTown(t *testing.T, seed uint64) (*town, []store.Entry) {
	t.Helper()
	w := open(t, t.TempDir())
	t.Cleanup(func() { w.close(t) })
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 11", "海丰县/乙小区")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishRules(t.Context(), "national", preset(t)); err != nil {
		t.Fatal(err)
	}
	var ids []kangma.PersonID
	for i := range 40 {
		id, _, err := w.Register(t.Context(), registration(t, i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var wg sync.WaitGroup
	for sender := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(sender)))
			for range 20 {
				var items []registry.Item
				for range 1 + r.IntN(20) {
					at := now.Add(-time.Duration(r.IntN(20*24*3600)) * time.Second)
					ev := negative(at)
					switch r.IntN(5) {
					case 0:
						ev.Test.Result = "positive"
					case 1:
						ev = stayAt("乙小区", at)
					}
					items = append(items, registry.Item{Person: ids[r.IntN(len(ids))], Evidence: ev})
				}
				if err := w.Submit(context.Background(), items...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, id := range ids[:30] { // they move, twice: the last home counts
		d, err := w.Dossier(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			d.Home = kangma.Place{Division: kangma.Division(441502000 + 1000*n), Community: fmt.Sprint(i, n)}
			if _, err := w.journal.Append(t.Context(), wire.PersonEvent(kangma.NewEventID(now), now, d)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Erase(t.Context(), ids[35]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := registry.Open(t.Context(), w.config(t, "one", w.journal)) // applies what was journaled only
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s
	entries, err := w.journal.After(t.Context(), 0, 1_000_000)
	if err != nil || len(entries) < 500 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	return w, entries
}

// TestEveryReplayGivesTheSameColours (R24): what many at once made of a town, one applier makes again of its journal: on one
// processor and on two, in any pieces, each piece twice.
func TestEveryReplayGivesTheSameColours(t *testing.T) {
	w, entries := busyTown(t, soak.Own(t, 24))
	judge := func(d *kangma.Dossier, at time.Time) any { return w.Evaluate(d, at, time.Time{}) }
	asWritten := func([]store.Entry) {}
	want := hashOf(t, w.db.Dossiers(), w.db.Records(), judge)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 1, 2} {
		runtime.GOMAXPROCS(processors)
		for _, chunk := range []int{1, 7, 1000} {
			if got := replayed(t, entries, chunk, judge, asWritten); got != want {
				t.Errorf("%d processors, %d at a time: got %s, want %s", processors, chunk, got, want)
			}
		}
	}

	t.Run("evidence counts in any order", func(t *testing.T) {
		var only []store.Entry // of a journal in which nobody moves
		for _, e := range entries {
			if e.Event.Kind == kangma.EventEvidence || e.Event.Kind == kangma.EventPerson && len(only) < 200 {
				only = append(only, e)
			}
		}
		first := slices.IndexFunc(only, func(e store.Entry) bool { return e.Event.Kind == kangma.EventEvidence })
		want := replayed(t, only, 100, judge, asWritten)
		rand.New(rand.NewPCG(24, 2)).Shuffle(len(only)-first, func(i, j int) { only[first+i], only[first+j] = only[first+j], only[first+i] })
		if got := replayed(t, only, 100, judge, asWritten); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	for _, mutant := range []struct {
		name  string
		judge colourOf
		order func([]store.Entry)
	}{
		{"an applier that takes the newest first", judge, slices.Reverse[[]store.Entry]},
		{"a rule that judges by whatever it meets first", func(d *kangma.Dossier, _ time.Time) any {
			all := map[kangma.EventID]string{}
			for _, e := range d.Evidence {
				all[e.ID] = e.ID.String()
			}
			for _, first := range all {
				return first
			}
			return nil
		}, asWritten},
	} {
		t.Run("caught: "+mutant.name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, chunk := range []int{1, 1000} {
				seen[replayed(t, entries, chunk, mutant.judge, mutant.order)] = true
			}
			if len(seen) == 1 {
				t.Error("all replays agree")
			}
		})
	}
}
