package embedded

import (
	"context"
	"errors"
	"sync"
)

// writer is the one goroutine that writes to a file. It runs all jobs that wait in one transaction, so that they share
// its fsync.
type writer struct {
	conns pool
	jobs  chan *job
	quit  sync.WaitGroup
	mu    sync.RWMutex // held shared while a job is handed over, so that none is sent after close
	shut  bool

	undone int // transactions undone so far; belongs to the goroutine
}

// job is one atomic change. run may be called twice: when the transaction it shared fails, it is tried alone.
type job struct {
	ctx    context.Context
	run    func(c *conn) error // an error of SQLite undoes the transaction; what the caller is told goes into its own variables
	weight int
	done   chan error
}

// maxWeight bounds one transaction, so that waiters at its front are not kept long and the log stays small.
const maxWeight = 4096

func startWriter(conns pool) *writer {
	w := &writer{conns: conns, jobs: make(chan *job, 256)}
	w.quit.Go(w.loop)
	return w
}

// do runs one change and returns when it is durable. After an error of the context the change may yet be made.
func (w *writer) do(ctx context.Context, weight int, run func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, run: run, weight: weight, done: make(chan error, 1)}
	if err := w.send(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return wrap(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) send(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.shut {
		return errClosed
	}
	select {
	case w.jobs <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}

// close lets the jobs already handed over finish.
func (w *writer) close() {
	w.mu.Lock()
	if !w.shut {
		w.shut = true
		close(w.jobs)
	}
	w.mu.Unlock()
	w.quit.Wait()
}

func (w *writer) loop() {
	for j := range w.jobs {
		group, weight := []*job{j}, j.weight
	more:
		for weight < maxWeight {
			select {
			case next, ok := <-w.jobs:
				if !ok {
					break more
				}
				group, weight = append(group, next), weight+next.weight
			default:
				break more
			}
		}
		w.commit(group)
	}
}

func (w *writer) commit(group []*job) {
	err := w.conns.with(context.Background(), func(c *conn) error { return transaction(c, group) })
	if err != nil {
		w.undone++
	}
	if err != nil && len(group) > 1 {
		for _, j := range group { // one bad change must not fail its neighbours
			w.commit([]*job{j})
		}
		return
	}
	for _, j := range group {
		j.done <- err
	}
}

func transaction(c *conn, group []*job) (err error) {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, j := range group {
		if j.ctx.Err() != nil { // nobody waits for it any more
			continue
		}
		if err = j.run(c); err != nil {
			break
		}
	}
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil && !c.raw.AutoCommit() {
		_, rollback := c.exec("ROLLBACK")
		err = errors.Join(err, rollback)
	}
	return err
}
