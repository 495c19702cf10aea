package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// hotConn is one connection while all its requests are of the hot routes.
type hotConn struct {
	front *front
	conn  *conn
	head  head
	in    scanIn // of a scan
	waits func() // park

	parked bool // this scan waits for the disk and has no place in the throttle

	buf     *[]byte // what was read
	n       int     // so much of it
	raw     syscall.RawConn
	ask     func(fd uintptr) // for how long nothing has come
	silent  time.Duration    // its answer
	readBy  time.Time
	writeBy time.Time
}

func newHotConn(f *front, c *conn) *hotConn {
	h := &hotConn{front: f, conn: c}
	h.waits = h.park
	return h
}

// deadlineSlack saves moving a deadline for each request: an idle connection may live so much longer.
const deadlineSlack = 15 * time.Second

var frontBuffers = sync.Pool{New: func() any { b := make([]byte, 2<<10); return &b }}

// serve answers requests until the connection ends or is handed over. first was read already.
func (h *hotConn) serve(first []byte) {
	h.buf = frontBuffers.Get().(*[]byte)
	if len(first) > len(*h.buf) {
		larger := make([]byte, len(first)+headMost)
		h.buf = &larger
	}
	h.n = copy(*h.buf, first)
	defer func() {
		if len(*h.buf) <= 2*headMost {
			frontBuffers.Put(h.buf)
		}
	}()
	defer h.front.forget(h)
	h.readUntil(time.Now().Add(headerTime)) // not since it was accepted: if that is long ago, it is we who were slow
	for {
		size, ok := h.next()
		switch {
		case !ok:
			h.conn.Close()
			return
		case size == 0:
			rest := append([]byte(nil), (*h.buf)[:h.n]...)
			_ = h.conn.SetDeadline(time.Time{}) // the server sets its own
			h.front.forget(h)
			h.front.give(h.conn, rest)
			return
		}
		h.conn.state.Store(int32(http.StateActive))
		if !h.answer() {
			h.conn.Close()
			return
		}
		h.n = copy(*h.buf, (*h.buf)[size:h.n])
		h.conn.state.Store(int32(http.StateIdle))
		if h.front.stopping.Load() {
			h.conn.Close()
			return
		}
	}
}

// next reads until a whole request is there and gives its size; 0: it is for net/http; false: the connection is over.
func (h *hotConn) next() (size int, ok bool) {
	for headed := false; ; {
		size, headSize, ours := h.look((*h.buf)[:h.n])
		if !ours || size > 0 && h.head.scan && !h.readBody((*h.buf)[headSize:size]) {
			return 0, true
		}
		if size > 0 {
			return size, true
		}
		if headSize > 0 && !headed {
			headed = true
			h.readUntil(time.Now().Add(requestTime))
		}
		if err := h.more(headSize); err != nil {
			if headSize > 0 && errors.Is(err, os.ErrDeadlineExceeded) && !h.front.stopping.Load() {
				h.send(h.tooSlow())
			}
			return 0, false
		}
	}
}

// look gives the size of the request with which b begins; 0: it has not all come, though its head has where headSize is more than 0. ours is
// false where it is for net/http.
func (h *hotConn) look(b []byte) (size, headSize int, ours bool) {
	headSize = headEnd(b)
	switch {
	case headSize == 0:
		return 0, 0, len(b) <= headMost
	case !h.head.read(b[:headSize]):
		return 0, headSize, false
	case len(b) < headSize+h.head.length:
		return 0, headSize, true
	}
	return headSize + h.head.length, headSize, true
}

// readBody reads a scan's body; false: it is for net/http.
func (h *hotConn) readBody(b []byte) bool {
	h.in = scanIn{Key: string(h.head.key), Brief: h.head.brief, waits: h.waits}
	return readScan(b, &h.in)
}

// tooSlow is the answer to who does not send the whole of a request.
func (h *hotConn) tooSlow() []byte {
	return h.problem(newHumaError(http.StatusRequestTimeout, "the request did not come in time").(*Problem), newRequestID(), true)
}

// more reads what has come.
func (h *hotConn) more(headSize int) error {
	fresh := http.ConnState(h.conn.state.Load()) == http.StateNew
	now := time.Now()
	switch {
	case h.n == 0 && !fresh:
		if h.readBy.Before(now.Add(idleTime)) || h.readBy.After(now.Add(idleTime+deadlineSlack)) {
			h.readUntil(now.Add(idleTime + deadlineSlack))
		}
	case headSize == 0 && !fresh:
		h.readUntil(minTime(h.readBy, now.Add(headerTime)))
	}
	if h.front.stopping.Load() {
		return net.ErrClosed
	}
	if h.n == len(*h.buf) {
		larger := make([]byte, 2*len(*h.buf))
		copy(larger, *h.buf)
		h.buf = &larger
	}
	n, err := h.conn.Conn.Read((*h.buf)[h.n:])
	h.n += n
	if n > 0 {
		return nil
	}
	return err
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (h *hotConn) readUntil(t time.Time) {
	if h.readBy != t {
		h.readBy = t
		_ = h.conn.SetReadDeadline(t) // fails only when it is closed, and then so does the read
	}
}

// answer answers the request that next found; false: the connection is to be closed.
func (h *hotConn) answer() (open bool) {
	s, c := h.front.s, forResidents
	if h.head.scan {
		c = forGates
	}
	out := buffers.Get().(*[]byte)
	defer buffers.Put(out)
	kept := s.doors.keeps(c, h.proxied())
	retryAfter, ok := h.enter(c)
	if !ok {
		closing := h.head.closing || !kept
		*out = appendRefusal((*out)[:0], retryAfter, closing)
		return h.send(*out) && !closing
	}
	closing := h.head.closing || h.front.stopping.Load() || !kept && s.throttle.pressed()
	body := buffers.Get().(*[]byte)
	defer buffers.Put(body)
	var err error
	*body, err = h.body(context.Background(), (*body)[:0])
	h.leave() // who reads the answer slowly keeps nobody out
	if err != nil {
		return h.send(h.fault(err, closing)) && !closing
	}
	*out = appendAnswer((*out)[:0], *body, closing)
	return h.send(*out) && !closing
}

// park gives the place of a scan that waits for the disk to somebody who has use for it.
func (h *hotConn) park() { h.parked = h.front.s.throttle.park() }

func (h *hotConn) leave() {
	if h.parked {
		h.parked = false
		h.front.s.throttle.leaveParked()
		return
	}
	h.front.s.throttle.leave()
}

// fault is the answer that says an error.
func (h *hotConn) fault(err error, closing bool) []byte {
	id := newRequestID()
	p := asProblem(err)
	logServerFault(context.WithValue(context.Background(), requestIDKey{}, id), h.front.s.log, p, err)
	return h.problem(p, id, closing)
}

// body appends the answer's body.
func (h *hotConn) body(ctx context.Context, b []byte) (_ []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	s := h.front.s
	if !h.head.scan {
		p, err := s.principalOf(ctx, h.head.get, residentOnly)
		if err != nil {
			return b, err
		}
		v, err := s.issueFor(ctx, p.Person, 0)
		if err != nil {
			return b, err
		}
		return appendCodeView(b, &v), nil
	}
	v, err := s.scanAs(ctx, h.head.get, &h.in)
	if err != nil {
		return b, err
	}
	return appendVerdictView(b, &v), nil
}

// send writes an answer.
func (h *hotConn) send(b []byte) bool {
	if now := time.Now(); h.writeBy.Before(now.Add(writeTime)) {
		h.writeBy = now.Add(writeTime + deadlineSlack)
		_ = h.conn.SetWriteDeadline(h.writeBy) // as for reading
	}
	_, err := h.conn.Conn.Write(b)
	return err == nil
}
