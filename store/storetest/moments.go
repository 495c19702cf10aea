package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Moments is the conformance suite of store.Moments. pass lets time go by.
func Moments(t *testing.T, m store.Moments, pass func(time.Duration)) {
	const life = 2 * time.Second
	ctx := t.Context()
	once := func(what, key, by string, want bool) {
		t.Helper()
		if mine, err := m.Once(ctx, store.Use{Key: key, Step: 7, By: by}, life); err != nil || mine != want {
			t.Errorf("%s: mine %v, %v", what, mine, err)
		}
	}
	t.Run("the first has it, and has it still when asked again", func(t *testing.T) {
		once("first", "a", "x", true)
		once("again", "a", "x", true)
		once("another", "a", "y", false)
		once("another key", "b", "y", true)
	})
	t.Run("only who has it lets go of it", func(t *testing.T) {
		once("first", "c", "x", true)
		wantOK(t, m.Undo(ctx, store.Use{Key: "c", Step: 7, By: "y"}))
		once("after another's", "c", "y", false)
		wantOK(t, m.Undo(ctx, store.Use{Key: "c", Step: 7, By: "x"}))
		once("after their own", "c", "y", true)
		wantOK(t, m.Undo(ctx, store.Use{Key: "nothing", By: "x"}))
	})
	t.Run("each step is used once, and one that goes through uses those before it", func(t *testing.T) {
		for i, u := range []struct {
			store.Use
			want bool
		}{
			{store.Use{Step: 3, By: "a"}, true}, {store.Use{Step: 10, By: "b", Through: true}, true}, {store.Use{Step: 10, By: "b", Through: true}, true},
			{store.Use{Step: 3, By: "a"}, true}, {store.Use{Step: 9, By: "c"}, false}, {store.Use{Step: 10, By: "c"}, false}, {store.Use{Step: 11, By: "c"}, true},
			{store.Use{Step: 9, By: "d", Through: true}, false}, {store.Use{Step: 12, By: "d", Through: true}, true},
		} {
			u.Key = "steps"
			if mine, err := m.Once(ctx, u.Use, life); err != nil || mine != u.want {
				t.Errorf("%d %+v: %v %v", i, u.Use, mine, err)
			}
		}
		wantOK(t, m.Undo(ctx, store.Use{Key: "steps", Step: 12, By: "d"}))
		if mine, err := m.Once(ctx, store.Use{Key: "steps", Step: 12, By: "e"}, life); err != nil || !mine {
			t.Errorf("a use that was taken back: %v %v", mine, err)
		}
	})
	t.Run("of 32 at once one is the first", func(t *testing.T) {
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				mine, err := m.Once(ctx, store.Use{Key: "race", By: string(rune('a' + i))}, life)
				if err != nil {
					t.Error(err)
				}
				if mine {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d were the first", won.Load())
		}
	})
	t.Run("a budget is spent once, whoever asks", func(t *testing.T) { momentsBudget(t, m) })
	t.Run("all is forgotten in time", func(t *testing.T) {
		once("first", "old", "x", true)
		spend(t, m, "old", 1, life, true)
		pass(life + 500*time.Millisecond)
		once("later", "old", "y", true)
		spend(t, m, "old", 1, life, true)
	})
	t.Run("a call whose context is over does nothing", func(t *testing.T) {
		over, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := m.Once(over, store.Use{Key: "over", Step: 7, By: "x"}, life); kangma.KindOf(err) != kangma.Unavailable {
			t.Errorf("got %v", err)
		}
		once("after it", "over", "y", true)
	})
}

func spend(t *testing.T, m store.Moments, key string, most int, window time.Duration, want bool) {
	t.Helper()
	ok, wait, err := m.Spend(t.Context(), key, most, window)
	if err != nil || ok != want || !ok && (wait <= 0 || wait > window) || ok && wait != 0 {
		t.Errorf("spend: %v, wait %v, %v", ok, wait, err)
	}
}

func momentsBudget(t *testing.T, m store.Moments) {
	const window = time.Hour
	left := func(key string, want bool) {
		t.Helper()
		if ok, wait, err := m.Left(t.Context(), key, 3); err != nil || ok != want || ok == (wait > 0) {
			t.Errorf("left: %v, wait %v, %v", ok, wait, err)
		}
	}
	for range 3 {
		left("budget", true)
		spend(t, m, "budget", 3, window, true)
	}
	left("budget", false)
	spend(t, m, "budget", 3, window, false)
	spend(t, m, "another", 3, window, true)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if ok, _, err := m.Spend(t.Context(), "many", 10, window); err == nil && ok {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 10 {
		t.Errorf("%d of 10 were taken", taken.Load())
	}
}

// MemoryMoments is a store.Moments of one process, for tests, with a clock of theirs.
type MemoryMoments struct {
	Now func() time.Time

	mu     sync.Mutex
	once   map[string]used
	budget map[string]kept
}

type kept struct {
	n     int
	until time.Time
}

type used struct {
	by      map[int]string
	through int
	until   time.Time
}

var _ store.Moments = (*MemoryMoments)(nil)

// Once is that of store.Moments.
func (m *MemoryMoments) Once(ctx context.Context, u store.Use, life time.Duration) (mine bool, err error) {
	if ctx.Err() != nil {
		return false, kangma.E(kangma.Unavailable, "canceled", "canceled")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.once[u.Key]
	if !m.Now().Before(k.until) {
		k = used{by: map[int]string{}, through: -1}
	}
	if by, there := k.by[u.Step]; there || u.Step <= k.through {
		return there && by == u.By, nil
	}
	if k.by[u.Step] = u.By; u.Through {
		k.through = u.Step
	}
	if end := m.Now().Add(life); end.After(k.until) {
		k.until = end
	}
	if m.once == nil {
		m.once = map[string]used{}
	}
	m.once[u.Key] = k
	return true, nil
}

// Undo is that of store.Moments.
func (m *MemoryMoments) Undo(_ context.Context, u store.Use) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.once[u.Key]
	if by, there := k.by[u.Step]; there && by == u.By {
		if delete(k.by, u.Step); k.through == u.Step {
			k.through = -1
		}
		m.once[u.Key] = k
	}
	return nil
}

// Spend is that of store.Moments.
func (m *MemoryMoments) Spend(_ context.Context, key string, most int, window time.Duration) (ok bool, wait time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.budget[key]
	if !m.Now().Before(k.until) {
		k = kept{until: m.Now().Add(window)}
	}
	if k.n >= most {
		return false, k.until.Sub(m.Now()), nil
	}
	if k.n++; m.budget == nil {
		m.budget = map[string]kept{}
	}
	m.budget[key] = k
	return true, 0, nil
}

// Left is that of store.Moments.
func (m *MemoryMoments) Left(_ context.Context, key string, most int) (ok bool, wait time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.budget[key]
	if !m.Now().Before(k.until) || k.n < most {
		return true, 0, nil
	}
	return false, k.until.Sub(m.Now()), nil
}
