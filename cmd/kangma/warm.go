package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma/api"
)

// warmFirst is how long the start waits for memory to be filled: a small town is whole then, a large one goes on beside
// the first requests.
const warmFirst = 300 * time.Millisecond

// Work in the background has at least one part in so many of the time while requests are heard late. Filling memory has more: who is
// read from the disk for a request costs it ten times what it costs to be read in order.
const (
	warmShare  = 4
	spareShare = 16
)

// crowded reports whether storing and shipping would now be at the cost of requests.
func (s *stack) crowded() bool {
	server := s.answering.Load()
	return server != nil && server.Busy()
}

// warmth is how far memory has been filled since the start.
type warmth struct {
	people, logins atomic.Int64
	done           chan struct{} // closed when it is over
}

// String is the note in /readyz.
func (m *warmth) String() string {
	if m == nil || m.over() {
		return "ok"
	}
	return fmt.Sprintf("filling: %d people, %d records looked at so far; answers are right, only slower", m.people.Load(), m.logins.Load())
}

func (m *warmth) over() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// warm fills memory with people and logins and says how long it took. Without it everybody would be read from the disk at
// the very moment when everybody comes.
func (s *stack) warm(ctx context.Context, server *api.Server, log *slog.Logger) {
	defer close(s.warmth.done)
	began, spare := time.Now(), server.Spare(warmShare)
	var err error
	if d, ok := s.dossiers.(interface {
		Warm(context.Context, func(context.Context) error, func(int64)) error
	}); ok {
		err = d.Warm(ctx, spare, s.warmth.people.Store)
	}
	if err == nil {
		err = server.WarmSessions(ctx, spare, s.warmth.logins.Store)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.Warn("filling memory", "err", err)
	default:
		log.Info("memory filled", "people", s.warmth.people.Load(), "records", s.warmth.logins.Load(), "took", time.Since(began).Round(time.Millisecond))
	}
}

// startWarming begins and waits a moment.
func (s *stack) startWarming(ctx context.Context, server *api.Server, log *slog.Logger) (stop func()) {
	s.warmth = &warmth{done: make(chan struct{})}
	stop = s.background(ctx, func(ctx context.Context) { s.warm(ctx, server, log) })
	select {
	case <-s.warmth.done:
	case <-time.After(warmFirst):
	case <-ctx.Done():
	}
	return stop
}
