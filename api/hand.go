package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kangma/kangma/store"
)

// hand is what answering takes, made once for a loop or a worker and used for one connection after the other, so that it stays in
// the processor's caches.
type hand struct {
	front *front
	hot   *hotConn // of who has the turn
	quick bool     // a loop's: what might wait is passed on to a worker
	aged  bool     // those who are heard now have waited long: each is asked how long
	now   int64    // about, by nanos
	gave  bool     // something was passed on
	buf   []byte
	out   []byte
	body  []byte
}

// newHand makes one. A loop's has room for all that it answers in one turn; that of a worker, of whom there may be thousands, begins small.
func newHand(f *front, quick bool) *hand {
	w := &hand{front: f, hot: newHotConn(f, nil), quick: quick}
	if quick {
		w.buf, w.out, w.body = make([]byte, 4*headMost), make([]byte, 0, 8<<10), make([]byte, 0, 4<<10)
	} else {
		w.buf = make([]byte, 2<<10)
	}
	return w
}

// room makes room for more than so many bytes.
func (w *hand) room(n int) {
	if n >= len(w.buf) {
		larger := make([]byte, max(2*len(w.buf), n+headMost))
		copy(larger, w.buf)
		w.buf = larger
	}
}

// take serves a connection whose turn this hand has, until nothing more has come. all: everything there is must be read, since nobody will
// say again that it has come.
func (w *hand) take(p *polled, all bool) {
	w.hot.conn, w.hot.writeBy = &p.conn, never
	p.conn.seen()
	for w.drain(p, all) {
		if p.turn.CompareAndSwap(turnTaken, turnFree) {
			if w.front.stopping.Load() && p.claim() {
				p.over()
			}
			return
		}
		p.turn.Store(turnTaken)
		all = true
	}
}

// drain reads and answers; false: it is over, or somebody else's.
func (w *hand) drain(p *polled, all bool) (mine bool) {
	n, look := 0, p.passed
	if p.rest != nil {
		w.room(len(*p.rest))
		n = copy(w.buf, *p.rest)
	}
	if p.passed {
		all = all || p.more // to its end: the news of that may have been a loop's
		if p.passed = false; p.unsent != nil && !w.sendRest(p, w.buf[:n]) {
			return false
		}
	}
	more := all
	for headed := p.stage == partBody; ; {
		if !look {
			w.room(n)
			room := w.buf[n:]
			m, errno := p.sock.read(room)
			switch {
			case errno == unix.EINTR:
				continue
			case errno == unix.EAGAIN:
				p.keep(w.buf[:n], headed, w.now)
				p.idle()
				return true
			case errno != 0 || m == 0:
				p.over()
				return false
			}
			n += m
			more = all || m == len(room)
		}
		look = false
		used, head, open := w.answerAll(p, w.buf[:n], more)
		if !open {
			return false
		}
		n, headed = copy(w.buf, w.buf[used:n]), head
		if used > 0 {
			p.stage = atRest
		}
		if !more {
			p.keep(w.buf[:n], headed, w.now)
			p.idle()
			return true
		}
	}
}

// answerAll answers the whole requests of b and says how much of it they are, and whether the head of the next has all come; open is
// false where the connection is over or somebody else's. more is for whom it is passed on to.
func (w *hand) answerAll(p *polled, b []byte, more bool) (used int, headed, open bool) {
	h := w.hot
	w.out = w.out[:0]
	for used < len(b) {
		size, headSize, ours := h.look(b[used:])
		if ours && size == 0 {
			headed = headSize > 0
			break
		}
		p.conn.state.Store(int32(http.StateActive))
		switch {
		case ours && w.quick && h.head.scan:
			return used, false, w.flush(p, b[used:], more) && w.part(p, b[used:])
		case ours && w.quick && len(w.out) > headMost:
			return used, false, w.pass(p, b[used:], more)
		}
		if !ours || h.head.scan && !h.readBody(b[used+headSize:used+size]) {
			if !w.flush(p, b[used:], more) {
				return used, false, false
			}
			return used, false, w.giveAway(p, b[used:])
		}
		stays := false
		if w.quick {
			known := false
			if stays, known = w.show(p); !known {
				return used, false, w.pass(p, b[used:], more)
			}
		} else {
			stays = h.answer()
		}
		used += size
		p.asked = true
		switch {
		case !stays || w.front.stopping.Load():
			p.ending = true
			if w.flush(p, nil, false) {
				p.over()
			}
			return used, false, false
		case p.sock.tcp != nil: // whoever does not read has a goroutine of their own
			return used, false, w.serveSlow(p, b[used:])
		}
	}
	return used, headed, w.flush(p, b[used:], more)
}

// flush writes what was answered; false: the connection is over, or a worker's with the rest.
func (w *hand) flush(p *polled, rest []byte, more bool) bool {
	left := w.out
	w.out = w.out[:0]
	for len(left) > 0 {
		n, errno := p.sock.write(left)
		switch errno {
		case 0:
			left = left[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			p.unsent = append([]byte(nil), left...)
			return w.pass(p, rest, more)
		default:
			p.over()
			return false
		}
	}
	return true
}

// pass leaves the turn to a worker, who may wait; false, always.
func (w *hand) pass(p *polled, rest []byte, more bool) bool {
	if len(w.out) > 0 && !w.flush(p, rest, more) {
		return false
	}
	p.put(rest)
	p.passed, p.more, w.gave = true, more, true
	w.front.crew.give(p)
	return false
}

// sendRest writes what did not go at once; false: the connection is over, or somebody else's.
func (w *hand) sendRest(p *polled, rest []byte) bool {
	_, err := p.sock.Write(p.unsent)
	p.unsent = nil
	switch {
	case err != nil || p.ending:
		p.over()
		return false
	case p.sock.tcp != nil:
		return w.serveSlow(p, rest)
	}
	return true
}

// serveSlow serves a connection that has become an ordinary one, until it ends; false, always.
func (w *hand) serveSlow(p *polled, rest []byte) bool {
	w.alone(p).serve(rest)
	w.front.served.Done()
	return false
}

// alone takes a connection that has become an ordinary one out of the loops.
func (w *hand) alone(p *polled) *hotConn {
	w.front.loops.drop(p)
	p.letGo()
	h := newHotConn(w.front, &p.conn)
	w.front.note(h)
	return h
}

// part gives a connection on which somebody scans a goroutine of its own, until it ends: it will wait for the disk again and again; false, always.
func (w *hand) part(p *polled, rest []byte) bool {
	if p.sock.ordinary() != nil {
		p.over()
		return false
	}
	h, first := w.alone(p), append([]byte(nil), rest...)
	w.front.workers.Go(func() {
		defer w.front.served.Done()
		h.serve(first)
	})
	return false
}

// giveAway hands the connection over to net/http with what was read; false, always.
func (w *hand) giveAway(p *polled, read []byte) bool {
	if p.sock.ordinary() != nil {
		p.over()
		return false
	}
	f := w.front
	f.loops.drop(p)
	p.letGo()
	p.conn.read = append([]byte(nil), read...)
	select {
	case f.rest <- &p.conn:
	default:
		go f.give(&p.conn, p.conn.read)
	}
	f.served.Done()
	return false
}

// fromMemory is the context of a loop's answers.
var fromMemory = store.Remembered(context.Background())

// show answers a show from memory; known is false where that takes somebody who may wait.
func (w *hand) show(p *polled) (stays, known bool) {
	h, s := w.hot, w.front.s
	kept := s.doors.keeps(forResidents, h.proxied())
	if (w.aged || h.head.start != nil) && forResidents.tooLong(h.waited(time.Now())) {
		retryAfter, _ := s.throttle.enterUnless(true, forResidents)
		closing := h.head.closing || !kept
		w.out = appendRefusal(w.out, retryAfter, closing)
		return !closing, true
	}
	if !s.throttle.enterNow(forResidents) {
		return false, false
	}
	var err error
	w.body, err = h.body(fromMemory, w.body[:0])
	s.throttle.leave()
	if errors.Is(err, store.ErrNotRemembered) {
		return false, false
	}
	closing := h.head.closing || w.front.stopping.Load() || !kept && s.throttle.pressed()
	if err != nil {
		w.out = append(w.out, h.fault(err, closing)...)
	} else {
		w.out = appendAnswer(w.out, w.body, closing)
	}
	return !closing, true
}
