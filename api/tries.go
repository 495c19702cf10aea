package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// tries are budgets that all nodes share, through the records: of wrong digits and documents, and of look-ups of one person.
// They are asked for on those rare ways only, never when a code is scanned. Where the state cannot be read, each node's own
// budget has to do. A state on a server counts by itself (store.Moments); else they are records.
type tries struct {
	Since time.Time `json:"since"` // begin of the window
	N     int       `json:"n"`
}

const (
	triesKind     = "tries" // id: hash of the key
	triesAttempts = 10
	triesLongest  = time.Hour // of all windows
)

func triesID(key string) string {
	sum := sha256.Sum256([]byte("kangma tries 1\x00" + key))
	return hex.EncodeToString(sum[:16])
}

func (s *Server) getTries(ctx context.Context, key string, window time.Duration, now time.Time) (t tries, version uint64, err error) {
	t, version, err = registry.GetDoc[tries](ctx, s.cfg.Registry.Records(), triesKind, triesID(key))
	if errors.Is(err, kangma.NotFound) {
		err = nil
	}
	if age := now.Sub(t.Since); age < 0 || age >= window {
		t = tries{Since: now}
	}
	return t, version, err
}

// triesLeft says whether anything of the budget of n in a window is left, at all nodes together.
func (s *Server) triesLeft(ctx context.Context, key string, n int, window time.Duration) error {
	now := s.auth.now()
	if err := s.limits.left(key, n, window, now); err != nil {
		return err
	}
	if m := s.cfg.Registry.Moments(); m != nil {
		ok, wait, err := m.Left(ctx, triesID(key), n)
		return waitFor(ok || err != nil, wait)
	}
	if t, _, err := s.getTries(ctx, key, window, now); err == nil && t.N >= n {
		return retryIn(t, window, now)
	}
	return nil
}

// spendTry spends one of the budget, or says when to come again.
func (s *Server) spendTry(ctx context.Context, key string, n int, window time.Duration) error {
	now := s.auth.now()
	if err := s.limits.allow(key, n, window, now); err != nil {
		return err
	}
	return s.spendSharedTry(ctx, key, n, window, now)
}

func (s *Server) spendSharedTry(ctx context.Context, key string, n int, window time.Duration, now time.Time) error {
	if m := s.cfg.Registry.Moments(); m != nil {
		ok, wait, err := m.Spend(ctx, triesID(key), n, window)
		return waitFor(ok || err != nil, wait)
	}
	for range triesAttempts {
		t, version, err := s.getTries(ctx, key, window, now)
		if err != nil {
			return nil // this node's budget alone
		}
		if t.N >= n {
			return retryIn(t, window, now)
		}
		t.N++
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		err = s.cfg.Registry.Records().Put(ctx, store.Record{Kind: triesKind, ID: triesID(key), Version: version + 1, Data: data})
		if !errors.Is(err, kangma.Conflict) {
			return nil
		}
	}
	return errTooMany(n, window) // ten nodes at once: nobody types so fast
}

func retryIn(t tries, window time.Duration, now time.Time) error {
	return waitFor(false, t.Since.Add(window).Sub(now))
}

func waitFor(ok bool, wait time.Duration) error {
	if ok {
		return nil
	}
	e := kangma.E(kangma.TooMany, "too_many", "too many attempts; wait and try again")
	e.RetryAfter = max(1, int(wait.Seconds()))
	return e
}

func triesAgeing() registry.AgeRule {
	return registry.AgeRule{Kind: triesKind, Plain: true, Over: func(rec store.Record, now time.Time) bool {
		var t tries
		return json.Unmarshal(rec.Data, &t) == nil && now.Sub(t.Since) >= triesLongest
	}}
}
