package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Watch is told how a run goes, about four times a second and from one goroutine. A nil Watch is told nothing.
type Watch func(stage string, done, all int)

// Run loads the target as planned and reports. The plan must have been checked. When ctx ends early the report is of
// what was done until then.
func Run(ctx context.Context, p *Plan, pop *Population, watch Watch) (*Report, error) {
	if watch == nil {
		watch = func(string, int, int) {}
	}
	src := newTown(p, pop)
	m := newMeter(p.Target)
	m.look(ctx, -1)
	if len(src.codes) > 0 {
		if err := src.drawCodes(ctx, gently(watch, "codes")); err != nil {
			return nil, err
		}
	}
	return run(ctx, p, src, m, watch)
}

// gently passes on progress from many goroutines, four times a second.
func gently(watch Watch, stage string) func(done, all int) {
	var mu sync.Mutex
	var last time.Time
	return func(done, all int) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) > 250*time.Millisecond || done == all {
			last = time.Now()
			watch(stage, done, all)
		}
	}
}

func run(ctx context.Context, p *Plan, src Source, m *meter, watch Watch) (*Report, error) {
	loops := make([]*loop, p.Loops)
	for i := range loops {
		limit := p.Connections / p.Loops
		if i < p.Connections%p.Loops {
			limit++
		}
		var err error
		if loops[i], err = newLoop(p, src, newSchedule(p, i, p.Loops), limit, uint64(i)); err != nil {
			return nil, err
		}
	}
	own := ownCPU()
	start := time.Now()
	if t, ok := src.(*town); ok {
		t.epoch = start.UnixMilli()
	}
	m.look(ctx, 0)
	beside, stop := context.WithCancel(ctx)
	defer stop()
	var helpers, wg sync.WaitGroup
	helpers.Go(func() { m.run(beside, start) })
	helpers.Go(func() { follow(beside, p, loops, start, watch) })
	if t, ok := src.(*town); ok && len(t.codes) > 0 {
		helpers.Go(func() { t.refreshCodes(beside) })
	}
	errs := make([]error, len(loops))
	for i, l := range loops {
		wg.Go(func() { errs[i] = l.run(ctx, start) })
	}
	wg.Wait()
	took := time.Since(start)
	m.look(context.WithoutCancel(ctx), int64(took))
	stop()
	helpers.Wait()
	err := errors.Join(errs...)
	if ctx.Err() != nil {
		err = nil // interrupted: report what there is
	}
	all := newRecorder(p)
	for _, l := range loops {
		all.merge(l.rec)
	}
	return newReport(p, all, m, start, took, ownCPU()-own, ctx.Err() != nil), err
}

// follow tells how many seconds of the plan have passed.
func follow(ctx context.Context, p *Plan, loops []*loop, start time.Time, watch Watch) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	_, end := stepsOf(p)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			watch("load", int(min(int64(time.Since(start)), end)/int64(time.Second)), int(end/int64(time.Second)))
		}
	}
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
