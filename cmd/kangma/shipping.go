package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/ship"
)

const drainGrace = 5 * time.Second

// startShipping moves passages from the journal to the warehouse; the returned function drains for a moment and ends it.
// What is not loaded by then is loaded after the next start.
func (s *stack) startShipping(ctx context.Context, log *slog.Logger) (stop func() error, err error) {
	config := ship.Config{
		Node: s.registry.Node(), Journal: s.journal, Warehouse: s.warehouse, Linger: 300 * time.Millisecond,
		Others: s.needed, Logger: log,
	}
	if _, here := s.warehouse.(*embedded.Warehouse); here { // another process loads beside us as it can
		config.Busy = s.crowded
	}
	shipper, err := ship.New(config)
	if err != nil {
		return nil, err
	}
	s.shipper = shipper
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	failed := make(chan error, 1)
	go func() { failed <- shipper.Run(run) }()
	return func() error {
		grace, done := context.WithTimeout(run, drainGrace)
		defer done()
		if err := shipper.Drain(grace); err != nil {
			log.Warn("the warehouse has not everything yet; it will after the next start", "err", err)
		}
		cancel()
		return errors.Join(<-failed)
	}, nil
}

// needed is the last entry of the journal that neither the state nor the snapshots need any more.
func (s *stack) needed() store.Position { return min(s.registry.Applied(), s.snapshots.Released()) }

// release lets the journal go up to what everybody has; the shipper does the same after each load.
func (s *stack) release(ctx context.Context) error {
	return s.journal.Release(ctx, min(s.shipper.Stats().Loaded, s.needed()))
}
