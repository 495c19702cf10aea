package issuance

import (
	"context"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// recent remembers for an hour what has been noted, in bounded memory: a page that asks again each minute is one access.
type recent struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const (
	noteAgain = time.Hour
	maxRecent = 1 << 16
)

// fresh reports whether key was not noted within the hour, and notes it.
func (r *recent) fresh(key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.seen[key]; ok && now.Sub(at) < noteAgain {
		return false
	}
	if r.seen == nil || len(r.seen) >= maxRecent {
		r.seen = map[string]time.Time{}
	}
	r.seen[key] = now
	return true
}

// Note writes into the dependent's list of accesses that a guardian showed or looked, once an hour for each thing. It is
// durable before it returns; without it nothing is shown.
func (s *Service) Note(ctx context.Context, g Guardianship, what string) error {
	now := s.registry.Now().UTC()
	key := g.ID + "/" + what
	if !s.views.fresh(key, now) {
		return nil
	}
	err := s.registry.AppendPassages(ctx, nil, []registry.View{{ID: kangma.NewEventID(now), At: now, Person: g.Dependent, Access: kangma.Access{
		Account: g.Relation, Role: "guardian", Purpose: "guardian", Case: g.ID, Fields: []string{what},
	}}})
	if err != nil {
		s.views.mu.Lock()
		delete(s.views.seen, key)
		s.views.mu.Unlock()
	}
	return err
}
