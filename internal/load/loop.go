package load

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// quantum is how long arrivals may be gathered: a loop that woke for each one would take the machine from the server.
const quantum = 150 * time.Microsecond

// loop is one thread of the generator with its share of arrivals and connections.
type loop struct {
	plan   *Plan
	addr   netip.AddrPort
	source Source
	share  schedule
	rec    *recorder
	rng    *rand.Rand

	poll     *poller
	conns    map[int32]*conn
	free     []*conn // kept open, without a request
	spare    []*conn // structs to use again
	open     int
	limit    int
	waiting  queue
	retries  retries
	flight   flight
	start    time.Time
	lastDown int64
}

func newLoop(p *Plan, source Source, share schedule, limit int, seed uint64) (*loop, error) {
	addr, err := netip.ParseAddrPort(p.Target)
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &loop{plan: p, addr: addr, source: source, share: share, limit: limit, poll: poll, rec: newRecorder(p),
		rng: rand.New(rand.NewPCG(p.Seed, seed)), conns: map[int32]*conn{}, lastDown: -1}, nil
}

func (l *loop) now() int64 { return int64(time.Since(l.start)) }

// run sends what is due until everything is answered, refused for good or given up, or ctx ends.
func (l *loop) run(ctx context.Context, start time.Time) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer l.close()
	l.start = start
	for ctx.Err() == nil {
		now := l.now()
		l.arrivals(now)
		l.giveUp(now)
		l.dispatch(now)
		if l.done(now) {
			return nil
		}
		events, err := l.poll.wait(l.pause(now))
		if err != nil {
			return err
		}
		for _, ev := range events {
			if c := l.conns[ev.Fd]; c != nil {
				l.ready(c, ev.Events)
			}
		}
	}
	return ctx.Err()
}

// arrivals queues what is due by now.
func (l *loop) arrivals(now int64) {
	for {
		t, ok := l.share.peek()
		if !ok || t.due > now {
			break
		}
		l.share.advance()
		t.kind = l.source.Kind(l.rng)
		l.rec.arrived(t)
		l.waiting.push(t)
	}
	for len(l.retries) > 0 && l.retries[0].due <= now {
		l.waiting.push(l.retries.next())
	}
}

// done reports whether nothing is left to do, or to wait for.
func (l *loop) done(now int64) bool {
	_, more := l.share.peek()
	if more || l.flight.oldest != nil || l.waiting.size > 0 {
		return false
	}
	return len(l.retries) == 0 || now > l.share.end+int64(l.plan.Drain)
}

func (l *loop) pause(now int64) time.Duration {
	next := now + int64(20*time.Millisecond)
	if t, ok := l.share.peek(); ok {
		next = min(next, max(t.due, now+int64(quantum)))
	}
	if len(l.retries) > 0 {
		next = min(next, max(l.retries[0].due, now+int64(quantum)))
	}
	return time.Duration(max(0, next-now))
}

// giveUp lets go of clients whose patience is over, on the wire or in the queue.
func (l *loop) giveUp(now int64) {
	limit := now - int64(l.plan.Patience)
	for c := l.flight.oldest; c != nil && c.t.due < limit; c = l.flight.oldest {
		l.rec.gaveUp(c.t, true)
		l.drop(c)
	}
	for l.waiting.size > 0 && l.waiting.peek().due < limit {
		l.rec.gaveUp(l.waiting.pop(), false)
	}
}

// dispatch puts waiting tickets on free or new connections.
func (l *loop) dispatch(now int64) {
	for l.waiting.size > 0 {
		c := l.take()
		if c == nil {
			if l.open >= l.limit || now == l.lastDown {
				return
			}
			var err error
			if c, err = l.dial(); err != nil {
				l.lastDown = now // the others wait for the next round
				l.rec.unreachable(now)
				l.fail(l.waiting.pop(), err)
				return
			}
		}
		c.t = l.waiting.pop()
		l.rec.sent(c.t, now)
		c.out, c.written, c.in, c.res = l.source.Append(c.out[:0], &c.t), 0, c.in[:0], response{}
		l.flight.add(c)
		if c.state == idle {
			c.state = busy
			l.write(c)
		}
	}
}

func (l *loop) take() *conn {
	n := len(l.free)
	if n == 0 {
		return nil
	}
	c := l.free[n-1]
	l.free = l.free[:n-1]
	return c
}

func (l *loop) dial() (*conn, error) {
	fd, err := dial(l.addr)
	if err != nil {
		return nil, err
	}
	if err := l.poll.add(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	var c *conn
	if n := len(l.spare); n > 0 {
		c, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		c = &conn{}
	}
	c.fd, c.state, c.used = fd, connecting, false
	l.conns[int32(fd)] = c
	l.open++
	l.rec.opened++
	return c, nil
}

// ready goes on with a connection about which the kernel has news.
func (l *loop) ready(c *conn, events uint32) {
	if c.state == connecting && events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		if errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || errno != 0 {
			l.lose(c, errors.Join(err, unix.Errno(errno)))
			return
		}
		c.state = busy
	}
	switch c.state {
	case idle:
		if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLIN) != 0 { // the server closed it
			l.discard(c)
		}
	case busy:
		if c.written < len(c.out) && !l.write(c) {
			return
		}
		if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			l.read(c, events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0)
		}
	}
}

// write sends what is left; false: the connection is gone.
func (l *loop) write(c *conn) bool {
	for c.written < len(c.out) {
		n, err := unix.Write(c.fd, c.out[c.written:])
		switch {
		case err == unix.EAGAIN:
			return true
		case err == unix.EINTR:
			continue
		case err != nil:
			l.lose(c, err)
			return false
		}
		c.written += n
	}
	return true
}

const readSize = 8 << 10

func (l *loop) read(c *conn, closed bool) {
	for {
		if cap(c.in)-len(c.in) < readSize {
			c.in = append(make([]byte, 0, 2*cap(c.in)+readSize), c.in...)
		}
		n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
		switch {
		case err == unix.EAGAIN:
			return
		case err == unix.EINTR:
			continue
		case err != nil:
			l.lose(c, err)
			return
		case n == 0:
			l.lose(c, io.EOF)
			return
		}
		c.in = c.in[:len(c.in)+n]
		done, ok := c.res.read(c.in)
		if !ok {
			l.lose(c, errNotHTTP)
			return
		}
		if done {
			l.answered(c, closed)
			return
		}
		if n < readSize && !closed {
			return // edge-triggered: the next bytes wake us
		}
	}
}

var errNotHTTP = errors.New("the server does not speak HTTP/1.1")

// answered takes the answer in and frees or closes the connection.
func (l *loop) answered(c *conn, closed bool) {
	now := l.now()
	t := c.t
	valid := l.source.Valid(t.kind, c.res.status, c.res.body(c.in))
	l.rec.answered(t, now, &c.res, valid)
	if l.plan.Acknowledged && valid && c.res.status == 200 && t.kind == scan {
		l.rec.acked = append(l.rec.acked, l.source.Event(&t))
	}
	if wait := c.res.retryAfter; wait > 0 && l.plan.HonourRetry && (c.res.status == 503 || c.res.status == 429) {
		t.refused++
		t.due = now + int64(wait)*int64(time.Second) + l.rng.Int64N(int64(time.Second))
		l.retries.add(t)
	}
	l.flight.remove(c)
	c.used = true
	if closed || c.res.closing || l.plan.NewConns {
		l.shut(c)
		return
	}
	c.state = idle
	l.free = append(l.free, c)
}

// lose deals with a connection that broke under a request. A kept connection may have been closed by the server just as
// the request left; such a request is sent once more, as every HTTP client does.
func (l *loop) lose(c *conn, err error) {
	t, kept := c.t, c.used && len(c.in) == 0
	if c.state == connecting {
		l.rec.unreachable(l.now())
	}
	l.drop(c)
	if kept && !t.resent {
		t.resent = true
		l.waiting.push(t)
		return
	}
	l.fail(t, err)
}

func (l *loop) fail(t ticket, err error) { l.rec.failed(t, l.now(), err) }

// drop closes a connection with a request under way.
func (l *loop) drop(c *conn) {
	l.flight.remove(c)
	l.shut(c)
}

// discard closes an idle connection.
func (l *loop) discard(c *conn) {
	for i, f := range l.free {
		if f == c {
			l.free = append(l.free[:i], l.free[i+1:]...)
			break
		}
	}
	l.shut(c)
}

func (l *loop) shut(c *conn) {
	delete(l.conns, int32(c.fd))
	hangUp(c.fd)
	l.open--
	l.spare = append(l.spare, c)
}

func (l *loop) close() {
	for _, c := range l.conns {
		hangUp(c.fd)
	}
	l.poll.close()
}
