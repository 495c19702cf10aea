package main

import (
	"context"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// lazyWarehouse is a warehouse whose server need not be there at the start: gates do not wait for analytics. It tries to
// open again when it is asked, not more often than retry.
type lazyWarehouse struct {
	open  func(context.Context) (store.Warehouse, func() error, error)
	retry time.Duration

	mu    sync.Mutex
	inner store.Warehouse
	close func() error
	tried time.Time
	err   error
}

func (l *lazyWarehouse) get(ctx context.Context) (store.Warehouse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inner != nil {
		return l.inner, nil
	}
	if time.Since(l.tried) < l.retry {
		return nil, l.err
	}
	l.tried = time.Now()
	inner, closeInner, err := l.open(ctx)
	if err != nil {
		l.err = kangma.E(kangma.Unavailable, "warehouse", "the warehouse does not answer; passages wait in the journal").Because(err)
		return nil, l.err
	}
	l.inner, l.close = inner, closeInner
	return inner, nil
}

// Close closes what was opened.
func (l *lazyWarehouse) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.close == nil {
		return nil
	}
	return l.close()
}

// Load is that of the warehouse behind.
func (l *lazyWarehouse) Load(ctx context.Context, b store.Batch) error {
	w, err := l.get(ctx)
	if err != nil {
		return err
	}
	return w.Load(ctx, b)
}

// Loaded is that of the warehouse behind.
func (l *lazyWarehouse) Loaded(ctx context.Context, node string) (store.Position, error) {
	w, err := l.get(ctx)
	if err != nil {
		return 0, err
	}
	return w.Loaded(ctx, node)
}

// Query is that of the warehouse behind.
func (l *lazyWarehouse) Query(ctx context.Context, q store.Query) (store.Result, error) {
	w, err := l.get(ctx)
	if err != nil {
		return store.Result{}, err
	}
	return w.Query(ctx, q)
}

// Passages is that of the warehouse behind.
func (l *lazyWarehouse) Passages(ctx context.Context, q store.PassageQuery) ([]kangma.Passage, error) {
	w, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return w.Passages(ctx, q)
}
