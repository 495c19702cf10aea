package redis

import (
	"context"
	"iter"
	"time"

	"github.com/kangma/kangma/store"
)

var _ store.Shared = (*DB)(nil)

// fiber is one of several functions that wait together. Only one of them runs at a time.
type fiber struct {
	next  func() (struct{}, bool) // runs it until it waits or ends
	stop  func()
	wait  func(struct{}) bool // from inside: nil once it has ended
	calls []*call             // what it waits for
	extra time.Duration
}

type fiberKey struct{}

// Together is that of store.Together. The functions are coroutines (iter.Pull): one that asks hands its calls over and
// stands still until all have asked or ended.
func (db *DB) Together(ctx context.Context, fs ...func(context.Context)) {
	if len(fs) == 1 {
		fs[0](ctx)
		return
	}
	fibers := make([]*fiber, len(fs))
	for i, f := range fs {
		fb := &fiber{}
		fb.next, fb.stop = iter.Pull(func(wait func(struct{}) bool) {
			fb.wait = wait
			defer func() { fb.wait = nil }()
			f(context.WithValue(ctx, fiberKey{}, fb))
		})
		fibers[i] = fb
	}
	defer func() { // where one of them panicked
		for _, fb := range fibers {
			fb.stop()
		}
	}()
	for waiting := fibers; len(waiting) > 0; {
		var still []*fiber
		var calls []*call
		var extra time.Duration
		for _, fb := range waiting {
			if _, waits := fb.next(); waits {
				still, calls, extra = append(still, fb), append(calls, fb.calls...), max(extra, fb.extra)
			}
		}
		if len(calls) > 0 && !handOver(ctx, extra, calls) { // they may stand in line of others themselves
			db.ask(ctx, extra, calls)
		}
		waiting = still
	}
}

// handOver gives calls to those who wait together; false: ctx is of nobody who does.
func handOver(ctx context.Context, extra time.Duration, calls []*call) bool {
	fb, ok := ctx.Value(fiberKey{}).(*fiber)
	if !ok || fb.wait == nil {
		return false
	}
	fb.calls, fb.extra = calls, extra
	if !fb.wait(struct{}{}) { // another one panicked: nobody asks any more
		setErr(calls, unavailable("canceled", context.Canceled))
	}
	return true
}
