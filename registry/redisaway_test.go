package registry_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
)

// swallowing is a mutant: it says that all is stored while the state does not answer.
type swallowing struct{ store.Dossiers }

func (s swallowing) Update(ctx context.Context, m store.Mark, ds ...kangma.Dossier) error {
	err := s.Dossiers.Update(ctx, m, ds...)
	if kangma.KindOf(err) == kangma.Unavailable {
		return nil
	}
	return err
}

func (s swallowing) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	d, err := s.Dossiers.Get(ctx, id)
	if kangma.KindOf(err) == kangma.Unavailable {
		return kangma.Dossier{Person: id, Version: 1}, nil
	}
	return d, err
}

func (s swallowing) GetMany(ctx context.Context, ids []kangma.PersonID) (out []kangma.Dossier, err error) {
	for _, id := range ids {
		d, err := s.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// TestWhatCameWhileRedisWasAwayIsAppliedOnce is the drain of R5: evidence that comes while Redis is away is in the journal, and each
// piece is in its dossier once, when Redis is back. The mutant is a state that says it stored what it did not.
func TestWhatCameWhileRedisWasAwayIsAppliedOnce(t *testing.T) {
	if wrong := afterAbsence(t, soak.Times(4, 100)*1000, func(d store.Dossiers) store.Dossiers { return d }); wrong != 0 {
		t.Errorf("%d people have too little or too much", wrong)
	}
	if wrong := afterAbsence(t, 1000, func(d store.Dossiers) store.Dossiers { return swallowing{d} }); wrong == 0 {
		t.Error("the mutant was not caught")
	}
}

// afterAbsence takes in n pieces of evidence about some while Redis is away, waits until all is applied and counts people who do not
// have exactly what was said of them.
func afterAbsence(t *testing.T, n int, as func(store.Dossiers) store.Dossiers) (wrong int) {
	t.Helper()
	srv := realserver.StartRedis(t, realserver.RedisSurvivesKill...)
	db, err := redis.Open(t.Context(), redis.Config{Addrs: []string{srv.Addr}, Password: srv.Password, Key: bytes.Repeat([]byte{5}, 32), New: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := openWith(t, t.TempDir(), func(c *registry.Config) { c.Dossiers, c.Records, c.Shared = as(db.Dossiers()), db.Records(), db })
	t.Cleanup(func() { w.close(t) })
	ids := w.people(t, max(200, n/50), "无风险小区")
	want := map[kangma.PersonID]int{}
	for _, id := range ids {
		d, err := db.Dossiers().Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want[id] = len(d.Evidence)
	}
	srv.Kill()
	r := rand.New(rand.NewPCG(soak.Seed(t, 5), 1))
	refused := 0
	for said := 0; said < n; {
		var items []registry.Item
		for range min(1+r.IntN(1000), n-said) {
			items = append(items, registry.Item{Person: ids[r.IntN(len(ids))], Evidence: negative(now.Add(-time.Duration(r.IntN(20*24*3600)) * time.Second))})
		}
		if err := w.Submit(t.Context(), items...); err != nil {
			refused++ // kept, and the sender is told to try again
		}
		for _, it := range items {
			want[it.Person]++
		}
		said += len(items)
	}
	before := cputime.Process()
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	for err := errors.New("not yet"); err != nil; _, err = db.Dossiers().Get(t.Context(), ids[0]) {
		time.Sleep(time.Millisecond)
	}
	back := time.Now()
	for end := back.Add(5 * time.Minute); w.Applied() < w.journal.Last() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(back)
	for _, id := range ids {
		if d, err := db.Dossiers().Get(t.Context(), id); err != nil || len(d.Evidence) != want[id] {
			wrong++
		}
	}
	t.Logf("%d pieces in %d refused batches; all applied %v after Redis answered, %.0f a second; %v of processor time here; %d people are wrong", n, refused,
		took.Round(time.Millisecond), float64(n)/took.Seconds(), (cputime.Process() - before).Round(time.Millisecond), wrong)
	return wrong
}
