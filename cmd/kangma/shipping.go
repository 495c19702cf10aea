package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// ship moves passages from the journal to the warehouse until ctx ends; the returned function drains and ends it.
func (s *stack) ship(ctx context.Context, log *slog.Logger) func() {
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			n, err := s.shipOnce(run)
			if err != nil && run.Err() == nil {
				log.Warn("shipping to the warehouse", "err", err)
			}
			if err != nil || n == 0 {
				select {
				case <-run.Done():
					return
				case <-time.After(500 * time.Millisecond):
				}
			}
		}
	}()
	return func() { stop(); <-done }
}

func (s *stack) shipOnce(ctx context.Context) (int, error) {
	from, err := s.warehouse.Loaded(ctx, nodeName)
	if err != nil {
		return 0, err
	}
	entries, err := s.journal.After(ctx, from, 10_000)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	b := store.Batch{Node: nodeName, From: from, To: entries[len(entries)-1].Position}
	for _, e := range entries {
		if e.Event.Kind == kangma.EventPassage {
			p, err := wire.DecodePassage(e.Event.Data)
			if err != nil {
				return 0, err
			}
			b.Rows = append(b.Rows, store.Row{Position: e.Position, Passage: p})
		}
	}
	if err := s.warehouse.Load(ctx, b); err != nil {
		return 0, err
	}
	return len(entries), s.journal.Release(ctx, b.To)
}
