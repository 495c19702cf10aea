package api

import (
	"container/list"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxConns     = 16 << 10 // open at once, as far as files and memory allow
	connBytes    = 16 << 10 // what an open one costs, with what the system keeps of it
	connShare    = 4        // of the memory, at most a fourth
	spareFiles   = 512      // for the stores, the journal and children
	graceFresh   = time.Second
	evictLook    = 256 // how many of the oldest are looked at for one that may go
	headerTime   = 5 * time.Second
	requestTime  = 10 * time.Second
	askTime      = 2 * time.Second
	maxUshers    = 2048
	unheardMost  = 512 // accepted connections for each processor that nobody has looked at
	unheardLeast = 2 * acceptMost
	unheardTime  = 30 * time.Millisecond // or so much work, where that is less: who waits longer would be too old when heard
	writeTime    = 60 * time.Second
	idleTime     = 2 * time.Minute
	drainTime    = 5 * time.Second
	// largeBodyTime is for feeds, lists and photos, which come from few and known senders.
	largeBodyTime = 60 * time.Second
)

// doors is a listener that bounds open connections, and refuses new ones before reading anything from them while the
// server is full: that costs a tenth of reading a request and writing an answer.
type doors struct {
	throttle *throttle
	limit    int

	mu   sync.Mutex
	open list.List // of *conn, oldest first
	away uint64
	held atomic.Int64 // as many as are open

	waiting atomic.Int64 // accepted, and nobody has had time for them yet
	most    int64        // of them

	shut   atomic.Int64  // times that nobody was accepted, since refusing took too much
	ushers chan struct{} // those who wait with somebody who is turned away
}

// conn knows what its server is doing with it.
type conn struct {
	net.Conn
	since time.Time
	state atomic.Int32 // http.ConnState
	place *list.Element
	doors *doors
	once  sync.Once
	fresh atomic.Bool // a loop's, and nobody has looked at it
	read  []byte      // by the front, before the server got it
}

// Read gives first what the front has read.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.read) > 0 {
		n := copy(b, c.read)
		if c.read = c.read[n:]; len(c.read) == 0 {
			c.read = nil
		}
		return n, nil
	}
	return c.Conn.Read(b)
}

func newDoors(t *throttle, memory int64) *doors {
	limit, ushers := connLimit()
	if memory > 0 {
		limit = max(256, min(limit, int(memory/connShare/connBytes)))
	}
	return &doors{throttle: t, limit: limit, ushers: make(chan struct{}, ushers), most: int64(unheardMost * runtime.GOMAXPROCS(0))}
}

// connLimit raises the limit of open files to what is allowed and divides it.
func connLimit() (conns, ushers int) {
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) != nil {
		return divideFiles(0)
	}
	if lim.Cur < lim.Max {
		lim.Cur = lim.Max
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lim) != nil {
			_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) // it worked above
		}
	}
	return divideFiles(int64(min(lim.Cur, 1<<30)))
}

// divideFiles gives how many connections may be open, and how many more of those who are turned away may be waited with. Everything else
// has spareFiles; of a small limit the ushers have an eighth of these.
func divideFiles(files int64) (conns, ushers int) {
	conns = int(min(maxConns, max(64, files-spareFiles)))
	return conns, int(min(maxUshers, max(spareFiles/8, files-spareFiles-int64(conns))))
}

// guarded is a listener behind the doors.
type guarded struct {
	net.Listener
	doors  *doors
	keeper *doorkeeper
}

func guard(ln net.Listener, d *doors) guarded { return guarded{ln, d, newDoorkeeper(ln, d)} }

// Accept gives the next connection that is let in. It is for one goroutine.
func (g guarded) Accept() (net.Conn, error) {
	for {
		g.keeper.keep()
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		after, full := g.doors.throttle.full()
		if !full && g.doors.unheard() {
			after, full = g.doors.throttle.turnedAway(), true
		}
		if full {
			g.doors.turnAway(c, after)
			continue
		}
		if in := g.doors.admit(c); in != nil {
			return in, nil
		}
	}
}

// admit keeps count. At the limit the oldest connection that is idle, or has not sent its request in time, makes room;
// where there is none the newcomer is told to come again.
func (d *doors) admit(c net.Conn) net.Conn {
	in := &conn{Conn: c}
	if !d.place(in) {
		d.turnAway(c, d.throttle.turnedAway())
		return nil
	}
	return in
}

// place is admit without the telling.
func (d *doors) place(in *conn) bool {
	in.since, in.doors = time.Now(), d
	d.mu.Lock()
	var out *conn
	if d.open.Len() >= d.limit {
		if out = d.evict(in.since); out == nil {
			d.mu.Unlock()
			return false
		}
	}
	in.place = d.open.PushBack(in)
	d.held.Add(1)
	d.mu.Unlock()
	if out != nil {
		out.Close()
	}
	return true
}

// scarce reports whether places are: who has had an answer, or a refusal, is then asked to leave. While there is room the
// connection stays, for opening another costs more than most answers: asked to leave too early, those who come again leave no time
// to answer anybody.
func (d *doors) scarce() bool { return d.held.Load() > int64(d.limit-d.limit/8) }

// keeps reports whether the connection of a request stays open after a refusal, or an answer while others are refused: that of
// a gate or a proxy does, which come again at once, and everybody's while places are not scarce.
func (d *doors) keeps(c class, proxied bool) bool {
	return c == forGates || proxied || !d.scarce()
}

// evict finds who may go. The lock is held.
func (d *doors) evict(now time.Time) *conn {
	e := d.open.Front()
	for range evictLook {
		if e == nil {
			break
		}
		c := e.Value.(*conn)
		switch http.ConnState(c.state.Load()) {
		case http.StateIdle:
			return c
		case http.StateNew:
			if now.Sub(c.since) > graceFresh {
				return c
			}
		}
		e = e.Next()
	}
	return nil
}

// unseen counts a loop's connection as one that has sent something and that nobody has looked at yet, and seen as one that somebody has, or that is over.
func (c *conn) unseen() {
	c.fresh.Store(true)
	c.doors.waiting.Add(1)
}

func (c *conn) seen() {
	if c.fresh.Load() && c.fresh.CompareAndSwap(true, false) {
		c.doors.waiting.Add(-1)
	}
}

// Close closes and makes room.
func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// leave makes room.
func (c *conn) leave() {
	c.seen()
	c.once.Do(func() {
		c.doors.mu.Lock()
		c.doors.open.Remove(c.place)
		c.doors.held.Add(-1)
		c.doors.mu.Unlock()
	})
}

// noteState is the server's hook.
func noteState(c net.Conn, s http.ConnState) {
	if c, ok := c.(*conn); ok {
		c.state.Store(int32(s))
	}
}

const cannedBody = `{"type":"about:blank","title":"Service Unavailable","status":503,"code":"overloaded",` +
	`"detail":"人太多了；已为您排队，请在 Retry-After 之后再试。Too many people at once; your place is kept: try again after Retry-After."}`

// turnAway answers without looking at what was asked. A client hears an answer only after it has asked; where its first bytes
// are not there yet they are waited for, by a bounded number of goroutines. Beyond them the answer is written at once.
func (d *doors) turnAway(c net.Conn, retryAfter int) {
	d.mu.Lock()
	d.away++
	d.mu.Unlock()
	if asked(c) {
		canned(c, retryAfter)
		return
	}
	select {
	case d.ushers <- struct{}{}:
		go func() {
			defer func() { <-d.ushers }()
			_ = c.SetReadDeadline(time.Now().Add(askTime))
			var first [256]byte
			_, _ = c.Read(first[:]) // whatever it is, the answer is the same
			_ = asked(c)            // takes the rest
			canned(c, retryAfter)
		}()
	default:
		canned(c, retryAfter)
	}
}

// asked takes what has come of a request without waiting for it, and reports whether anything had. (Closing a connection with
// bytes unread resets it, and the client may lose the answer.)
func asked(c net.Conn) bool {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return false
	}
	got := 0
	err = raw.Read(func(fd uintptr) bool {
		got, _ = drain(int(fd))
		return true
	})
	return err == nil && got > 0
}

var cannedHead = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: " +
	strconv.Itoa(len(cannedBody)) + "\r\nRetry-After: "

// canned writes the one answer and hangs up. A fresh socket takes this much without waiting.
func canned(c net.Conn, retryAfter int) {
	var room [1024]byte
	_, _ = c.Write(appendCanned(room[:0], retryAfter)) // the client is gone: nobody to tell
	c.Close()
}

func (d *doors) count() (open int, away uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open.Len(), d.away
}
