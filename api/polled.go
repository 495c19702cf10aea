package api

import (
	"net/http"
	"sync/atomic"
	"time"
)

// polled is one kept connection of the loops. Whose turn it is, a loop or a worker, reads and answers; nobody else touches it. While
// nobody does it takes no goroutine and no buffer: of twelve thousand the next is always one whose stack has left the processor's caches.
type polled struct {
	conn  conn // conn.Conn is &sock
	sock  socket
	front *front
	slot  int32
	gen   int32
	turn  atomic.Int32
	due   atomic.Int64 // when it is over unless something comes, by nanos

	// Of who has the turn:
	stage  stage
	asked  bool    // it has had an answer
	passed bool    // rest was passed on by a loop and has not been looked at
	more   bool    // then: there may be more to read than that
	ending bool    // then: it is over once unsent is written
	rest   *[]byte // what came of a request that has not all come
	unsent []byte  // what did not go at once
}

const (
	turnFree int32 = iota
	turnTaken
	turnNews // taken, and something has come since
)

// stage is of what the client is to send something.
type stage uint8

const (
	atRest stage = iota
	partHead
	partBody
)

// claim takes the turn; false: somebody has it, and will hear that there is news.
func (p *polled) claim() bool {
	for {
		if p.turn.CompareAndSwap(turnFree, turnTaken) {
			return true
		}
		if p.turn.Load() == turnNews || p.turn.CompareAndSwap(turnTaken, turnNews) {
			return false
		}
	}
}

// keep puts away what has come of the next request and sets by when the rest must.
func (p *polled) keep(b []byte, headed bool, now int64) {
	switch {
	case len(b) == 0:
		p.letGo()
		p.stage = atRest
		if p.asked {
			p.due.Store(now + int64(idleTime))
		}
		return
	case headed && p.stage != partBody:
		p.stage = partBody
		p.due.Store(now + int64(requestTime))
	case p.stage == atRest:
		p.stage = partHead
		if p.asked { // who has just come has had so long since then
			p.due.Store(now + int64(headerTime))
		}
	}
	p.put(b)
}

// put copies b to rest.
func (p *polled) put(b []byte) {
	if p.rest == nil {
		p.rest = frontBuffers.Get().(*[]byte)
	}
	*p.rest = append((*p.rest)[:0], b...)
}

// letGo gives the buffer back.
func (p *polled) letGo() {
	if p.rest == nil {
		return
	}
	if cap(*p.rest) <= 2*headMost {
		*p.rest = (*p.rest)[:cap(*p.rest)]
		frontBuffers.Put(p.rest)
	}
	p.rest = nil
}

// idle says to the doors that it may go, where others want its place.
func (p *polled) idle() {
	if p.asked {
		p.conn.state.Store(int32(http.StateIdle))
	}
}

// over ends the connection, for who has the turn.
func (p *polled) over() {
	p.front.loops.drop(p)
	p.letGo()
	p.conn.leave()
	p.sock.release()
	p.front.served.Done()
}

// expire ends a connection on which nothing came in time.
func (p *polled) expire(w *hand) {
	if p.stage == partBody && p.rest != nil {
		h := w.hot
		h.conn = &p.conn
		if n := headEnd(*p.rest); n > 0 && h.head.read((*p.rest)[:n]) {
			_, _ = p.sock.write(h.tooSlow()) // as much of it as goes at once
		}
	}
	p.over()
}

// nanos is the time in ns since 1970 by a clock that nobody sets: were the machine's set forward, every connection at rest would be over at
// once, and set back, none that is slow.
func nanos() int64 { return started.UnixNano() + int64(time.Since(started)) }

var started = time.Now()
