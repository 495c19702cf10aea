package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// front answers the two hot routes on the connection itself, and hands a connection over to net/http, for good, at the
// first request that is anything else (docs/performance.md says what that saves). To net/http it is the listener that the
// handed-over connections come from. TCP connections are read by loops (docs/adr/0025), others by a goroutine each.
type front struct {
	s     *Server
	doors net.Listener
	rest  chan net.Conn
	over  chan struct{} // closed when no more connections are accepted

	once     sync.Once
	err      error // why over was closed
	stopping atomic.Bool
	mu       sync.Mutex
	conns    map[*hotConn]struct{} // not handed over
	served   sync.WaitGroup
	work     chan *hotConn // to a worker that is idle
	idle     atomic.Int64  // workers that are

	same    *os.File // the listener, for who accepts for the loops
	loops   *loops   // nil: each connection has a goroutine
	crew    *crew    // who may wait for the loops
	workers sync.WaitGroup
}

func newFront(s *Server, doors net.Listener) *front {
	return &front{s: s, doors: doors, rest: make(chan net.Conn), over: make(chan struct{}), conns: map[*hotConn]struct{}{}, work: make(chan *hotConn)}
}

// run accepts connections until the listener is closed.
func (f *front) run() {
	wait := time.Duration(0)
	for {
		c, err := f.doors.Accept()
		if err != nil {
			if t, ok := errors.AsType[interface {
				error
				Temporary() bool
			}](err); ok && t.Temporary() { // no file is free for a moment
				wait = min(max(2*wait, 5*time.Millisecond), time.Second)
				time.Sleep(wait)
				continue
			}
			f.end(err)
			return
		}
		wait = 0
		h := newHotConn(f, c.(*conn))
		f.note(h)
		f.s.doors.waiting.Add(1)
		select {
		case f.work <- h:
		default:
			f.served.Go(func() { f.worker(h) })
		}
	}
}

// idleWorkers is how many goroutines wait for another connection: one that has served before has a stack that is large enough.
const idleWorkers = 256

// worker serves one connection after the other.
func (f *front) worker(h *hotConn) {
	for {
		f.s.doors.waiting.Add(-1)
		h.serve(nil)
		if f.idle.Add(1) > idleWorkers {
			f.idle.Add(-1)
			return
		}
		select {
		case h = <-f.work:
			f.idle.Add(-1)
		case <-f.over:
			return
		}
	}
}

func (f *front) end(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.over)
	})
}

// Accept gives net/http the next connection that is its.
func (f *front) Accept() (net.Conn, error) {
	select {
	case c := <-f.rest:
		return c, nil
	case <-f.over:
		return nil, f.err
	}
}

// Close stops accepting.
func (f *front) Close() error {
	err := f.doors.Close()
	if f.same != nil {
		err = errors.Join(err, f.same.Close())
	}
	f.end(net.ErrClosed)
	return err
}

// Addr is the listener's.
func (f *front) Addr() net.Addr { return f.doors.Addr() }

// give hands a connection over with what was read of it.
func (f *front) give(c *conn, read []byte) {
	c.read = read
	select {
	case f.rest <- c:
	case <-f.over:
		c.Close()
	}
}

func (f *front) note(h *hotConn) {
	f.mu.Lock()
	f.conns[h] = struct{}{}
	f.mu.Unlock()
}

func (f *front) forget(h *hotConn) {
	f.mu.Lock()
	delete(f.conns, h)
	f.mu.Unlock()
}

// shutdown lets requests under way finish, until ctx ends.
func (f *front) shutdown(ctx context.Context) error {
	f.stopping.Store(true)
	f.mu.Lock()
	for h := range f.conns {
		_ = h.conn.SetReadDeadline(time.Unix(1, 0)) // wakes who waits for a request
	}
	f.mu.Unlock()
	if f.loops != nil {
		f.loops.finish(false)
	}
	done := make(chan struct{})
	go func() {
		f.served.Wait()
		if f.loops != nil {
			f.crew.close()
			f.workers.Wait()
			f.loops.stop()
			f.loops.close()
		}
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	for h := range f.conns {
		h.conn.Close()
	}
	f.mu.Unlock()
	if f.loops != nil {
		f.loops.finish(true) // they then end by themselves
	}
	return ctx.Err()
}

// Serve answers on ln until ctx ends, then drains.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	hs := s.httpServer()
	f := newFront(s, guard(ln, s.doors))
	run, err := f.startLoops(ln)
	if err != nil {
		return err
	}
	f.served.Go(run)
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(f) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if e := errors.Join(hs.Shutdown(grace), f.shutdown(grace)); e != nil {
		return errors.Join(err, e, hs.Close())
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
