package api

import (
	"context"
	"time"

	"github.com/kangma/kangma/registry"
)

const (
	spareShare = 8 // background work waits while more than an eighth of the room is taken
	spareLook  = 5 * time.Millisecond
	spareMost  = 5 * time.Second
)

// Spare makes a gate for one kind of work in the background (searches for colour changes, snapshots, filling memory): called before
// each piece of some milliseconds, it waits while requests are heard late, but not longer than it takes to leave the work one
// part in share of the time, so that it ends on the busiest day too. The gate is for one caller at a time. Its only error is that
// of the context.
func (s *Server) Spare(share int) func(context.Context) error { return s.throttle.spare(share) }

func (t *throttle) spare(share int) func(context.Context) error {
	began := t.now() // of the piece that has just been done
	return func(ctx context.Context) error {
		now := t.now()
		rest := min(now.Sub(began)*time.Duration(share-1), spareMost)
		for end := now.Add(rest); t.busy() && t.now().Before(end) && ctx.Err() == nil; {
			select {
			case <-ctx.Done():
			case <-time.After(spareLook):
			}
		}
		began = t.now()
		return ctx.Err()
	}
}

// Busy reports whether work in the background would now be at the cost of requests: they are heard late.
func (s *Server) Busy() bool { return s.throttle.busy() }

// busy reports whether work in the background would be at the cost of requests.
func (t *throttle) busy() bool { return t.crowded() || t.cramped() }

// crowded reports whether who asks now shares the processors with many others.
func (t *throttle) crowded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running+t.parked > t.limit/spareShare
}

// WarmSessions remembers every login, so that the first minutes after a start do not read each of them from the store. It
// asks yield before each page and tells how many records were looked at.
func (s *Server) WarmSessions(ctx context.Context, yield func(context.Context) error, progress func(records int64)) error {
	return registry.WarmDocs[session](ctx, s.cfg.Registry.Records(), sessionKind, yield, progress)
}
