package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kangma/kangma"
)

// limits are this process's budgets by key (a keyed hash of a phone, an account, a remote address).
type limits struct {
	mu    sync.Mutex
	by    map[string]*limited
	swept time.Time
}

type limited struct {
	*rate.Limiter
	used time.Time
}

const limitIdle = time.Hour

func newLimits() *limits { return &limits{by: map[string]*limited{}} }

// left says whether anything of key's budget is left, without spending it.
func (l *limits) left(key string, n int, window time.Duration, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.by[key]; b == nil || b.TokensAt(now) >= 1 {
		return nil
	}
	return errTooMany(n, window)
}

func errTooMany(n int, window time.Duration) error {
	e := kangma.E(kangma.TooMany, "too_many", "too many attempts; wait and try again")
	e.RetryAfter = max(1, int(window.Seconds())/n)
	return e
}

// allow spends one of n per window of key's budget, or says when to come again.
func (l *limits) allow(key string, n int, window time.Duration, now time.Time) error {
	return l.allowOf("", key, n, window, now)
}

// allowOf is allow for the key of a kind and a name, which makes no text of them while the name is known.
func (l *limits) allowOf(kind, name string, n int, window time.Duration, now time.Time) error {
	var room [128]byte
	key := append(append(room[:0], kind...), name...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > limitIdle {
		for k, v := range l.by {
			if now.Sub(v.used) > limitIdle {
				delete(l.by, k)
			}
		}
		l.swept = now
	}
	b := l.by[string(key)]
	if b == nil {
		b = &limited{Limiter: rate.NewLimiter(rate.Every(window/time.Duration(n)), n)}
		l.by[string(key)] = b
	}
	b.used = now
	if b.AllowN(now, 1) {
		return nil
	}
	return errTooMany(n, window)
}
