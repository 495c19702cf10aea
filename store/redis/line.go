package redis

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// line joins what many requests ask of one server: who comes while as many exchanges as may be are under way waits for the
// end of one and then travels with everybody who came meanwhile. Who is alone never waits. An exchange of its own costs a node
// some 40 µs, of which most are system calls and wake-ups, a call that travels along a few.
type line struct {
	mu      sync.Mutex
	riding  int // exchanges under way
	waiting []*trip
}

// maxRiding is how many exchanges with one server may be under way. One request asks several things side by side; were it one
// exchange, what the hash of their keys puts on the same server would wait for one another.
const maxRiding = 2

// trip is the calls of one request in a line.
type trip struct {
	calls []*call
	err   error     // of the connection
	turn  chan bool // true: lead the next exchange; false: the replies are there
}

// maxShared bounds the calls that travel in a line; larger requests take a connection of their own, as do those that were
// granted more time.
const maxShared = 32

func (db *DB) line(addr string) *line {
	if l, ok := db.lines.Load(addr); ok {
		return l.(*line)
	}
	l, _ := db.lines.LoadOrStore(addr, &line{})
	return l.(*line)
}

// sharable reports whether calls may stand in line: a caller whose time ends sooner than an exchange may take goes alone.
func (db *DB) sharable(ctx context.Context, extra time.Duration, calls []*call) bool {
	if extra > 0 || weight(calls) > maxShared {
		return false
	}
	end, bounded := ctx.Deadline()
	return !bounded || time.Until(end) >= 2*db.cfg.Timeout
}

// share does one exchange for calls and for whoever else is in line. It takes at most twice the time of one: that of the
// exchange before and its own. Whoever leads tells the breaker, for all.
func (db *DB) share(client *goredis.Client, calls []*call) error {
	l := db.line(client.Options().Addr)
	own := trip{calls: calls}
	l.mu.Lock()
	if l.riding >= maxRiding {
		own.turn = make(chan bool, 1)
		l.waiting = append(l.waiting, &own)
		l.mu.Unlock()
		if lead := <-own.turn; !lead {
			return own.err
		}
	} else {
		l.riding++
		l.mu.Unlock()
		runtime.Gosched() // those whose requests lie ready come along
	}
	trips := l.take(&own)
	defer func() { // also after a panic
		l.pass()
		for _, t := range trips[1:] {
			t.turn <- false
		}
	}()
	for _, t := range trips {
		t.err = errOpen
	}
	if !db.breaker(client.Options().Addr).Open() {
		db.ride(client, trips)
		db.tell(client, l, trips)
	}
	return own.err
}

// take gives the trips of the next exchange, of which own is the first.
func (l *line) take(own *trip) []*trip {
	l.mu.Lock()
	defer l.mu.Unlock()
	trips, n := []*trip{own}, weight(own.calls)
	for len(l.waiting) > 0 && n+weight(l.waiting[0].calls) <= maxPipeline {
		n += weight(l.waiting[0].calls)
		trips, l.waiting = append(trips, l.waiting[0]), l.waiting[1:]
	}
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	return trips
}

// pass lets the next one lead in this one's place.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.riding--
		return
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	next.turn <- true // it takes the others with it
}

// ride does the exchange of all trips. It is nobody's own: that one of them is given up does not end it.
func (db *DB) ride(client *goredis.Client, trips []*trip) {
	n, heavy := 0, 0
	for _, t := range trips {
		n, heavy = n+len(t.calls), heavy+weight(t.calls)
	}
	ctx, cancel := context.WithTimeout(context.Background(), db.cfg.Timeout+time.Duration(heavy)*time.Millisecond)
	defer cancel()
	pipe := client.Pipeline()
	cmds := make([]*goredis.Cmd, 0, n)
	for _, t := range trips {
		cmds = enqueue(ctx, pipe, t.calls, cmds)
	}
	_, first := pipe.Exec(ctx)
	for _, t := range trips {
		t.err = settle(t.calls, cmds[:len(t.calls)], first)
		cmds = cmds[len(t.calls):]
	}
}

// tell reports to the breaker. A connection that broke is one failure, however many were on it; a server that did not
// answer failed all of them and those who still wait.
func (db *DB) tell(client *goredis.Client, l *line, trips []*trip) {
	b := db.breaker(client.Options().Addr)
	alive := func(ctx context.Context) bool { return db.ping(ctx, client) }
	failed := 0
	var err error
	for _, t := range trips {
		if t.err != nil && errorCode(t.err) == "" {
			failed, err = failed+1, t.err
		}
	}
	if failed == 0 {
		db.outcome(b, true, alive)
		return
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		failed = 1
	} else {
		l.mu.Lock()
		failed += len(l.waiting)
		l.mu.Unlock()
	}
	for range min(failed, 3) { // more would not be heard
		db.outcome(b, false, alive)
	}
}
