package api

import (
	"context"
	"time"

	"github.com/kangma/kangma/registry"
)

const (
	spareShare = 8 // background work waits while more than an eighth of the room is taken
	spareLook  = 5 * time.Millisecond
	spareMost  = time.Second // and goes on then all the same, so that it ends on the busiest day too
)

// Spare waits until requests leave room for work in the background (searches for colour changes, filling memory), at most
// a second. The only error is that of the context.
func (s *Server) Spare(ctx context.Context) error {
	for end := time.Now().Add(spareMost); s.throttle.crowded() && time.Now().Before(end); {
		select {
		case <-ctx.Done():
		case <-time.After(spareLook):
		}
		if ctx.Err() != nil {
			break
		}
	}
	return ctx.Err()
}

// crowded reports whether who asks now shares the processors with many others.
func (t *throttle) crowded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running > t.limit/spareShare
}

// WarmSessions remembers every login, so that the first minutes after a start do not read each of them from the store. It
// yields to requests and tells how many records were looked at.
func (s *Server) WarmSessions(ctx context.Context, progress func(records int64)) error {
	return registry.WarmDocs[session](ctx, s.cfg.Registry.Records(), sessionKind, s.Spare, progress)
}
