package api

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// loops read and answer kept connections, a few dozen in one turn and without a goroutine for each: one loop always, and another for
// each further processor while there is more than the first can do. All share one edge-triggered poller, so that whoever has
// time takes whoever has waited longest.
type loops struct {
	front *front
	poll  int // epoll
	bell  int // eventfd: rung at the end
	over  chan struct{}
	more  chan struct{} // wakes another loop
	all   sync.WaitGroup

	places []atomic.Pointer[polled]
	mu     sync.Mutex
	free   []int32
}

const (
	batchMost = 64 // connections of one turn: two milliseconds of shows
	callAt    = 8  // ready ones for which another loop is called
	reapEvery = time.Second
	agedFrom  = showWait / 2 // where the first of a batch waited so long all are asked
	bellPlace = -1
)

var never = time.Unix(1<<40, 0)

func newLoops(f *front, most int) (*loops, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: bellPlace})
	}
	if err != nil {
		unix.Close(poll)
		return nil, err
	}
	l := &loops{front: f, poll: poll, bell: bell, over: make(chan struct{}), more: make(chan struct{}), places: make([]atomic.Pointer[polled], most)}
	for i := range most {
		l.free = append(l.free, int32(most-1-i))
	}
	return l, nil
}

// start starts the loops and the reaper.
func (l *loops) start() {
	l.all.Go(l.first)
	for range runtime.GOMAXPROCS(0) - 1 {
		l.all.Go(l.another)
	}
	l.all.Go(l.reap)
}

// stop ends the loops. Whatever is open stays so.
func (l *loops) stop() {
	close(l.over)
	_, _ = unix.Write(l.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // an eventfd takes it
	l.all.Wait()
}

// close gives the poller back, when nobody uses it any more.
func (l *loops) close() { unix.Close(l.poll); unix.Close(l.bell) }

// add takes a connection in; false: there is no place.
func (l *loops) add(p *polled) bool {
	l.mu.Lock()
	if len(l.free) == 0 {
		l.mu.Unlock()
		return false
	}
	p.slot = l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	l.mu.Unlock()
	p.gen = int32(generation.Add(1))
	l.places[p.slot].Store(p)
	if unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, p.sock.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: p.slot, Pad: p.gen,
	}) != nil {
		l.drop(p)
		return false
	}
	return true
}

// generation tells news of a connection from news of who had its place before.
var generation atomic.Uint32

// drop lets go of its place.
func (l *loops) drop(p *polled) {
	l.places[p.slot].Store(nil)
	l.mu.Lock()
	l.free = append(l.free, p.slot)
	l.mu.Unlock()
}

// ready gives who is ready, without waiting for anybody.
func (l *loops) ready(events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.poll), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

func (l *loops) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// first waits for connections and serves them.
func (l *loops) first() {
	w := newHand(l.front, true)
	events := make([]unix.EpollEvent, batchMost)
	for !l.ended() {
		n := l.ready(events)
		if n == 0 {
			var err error
			if n, err = unix.EpollWait(l.poll, events, -1); err != nil && err != unix.EINTR {
				l.front.s.log.Error("the poller of kept connections", "err", err)
				time.Sleep(time.Second)
			}
			l.batch(w, events[:max(0, n)], false)
			continue
		}
		l.batch(w, events[:n], true)
	}
}

// another serves while there is something to do.
func (l *loops) another() {
	w := newHand(l.front, true)
	events := make([]unix.EpollEvent, batchMost)
	for {
		select {
		case <-l.over:
			return
		case <-l.more:
		}
		for n := l.ready(events); n > 0 && !l.ended(); n = l.ready(events) {
			l.batch(w, events[:n], true)
		}
	}
}

// batch serves those who are ready. waited says that they were so while others were served.
func (l *loops) batch(w *hand, events []unix.EpollEvent, waited bool) {
	w.now = nanos()
	t := l.front.s.throttle
	if len(events) >= callAt {
		select {
		case l.more <- struct{}{}:
		default:
		}
		if p := l.of(&events[0]); p != nil { // they come in their order, so nobody has waited longer
			w.aged = len(events) == batchMost && t.cramped() && p.sock.silent() > agedFrom
		}
	} else {
		w.aged = false
	}
	for i := range events {
		if p := l.of(&events[i]); p != nil && p.claim() {
			w.take(p, events[i].Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
		}
	}
	if waited {
		t.noteTurn(w.now, nanos())
	}
	if w.gave || waited {
		w.gave = false
		runtime.Gosched()
	}
}

// of gives whom news are of; nil: they are gone.
func (l *loops) of(e *unix.EpollEvent) *polled {
	if e.Fd == bellPlace {
		return nil
	}
	p := l.places[e.Fd].Load()
	if p == nil || p.gen != e.Pad {
		return nil
	}
	return p
}

// reap ends connections on which nothing came in time.
func (l *loops) reap() {
	w := newHand(l.front, false)
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.over:
			return
		case <-tick.C:
		}
		now := nanos()
		for i := range l.places {
			p := l.places[i].Load()
			if p == nil || p.due.Load() > now || !p.turn.CompareAndSwap(turnFree, turnTaken) {
				continue
			}
			if p.due.Load() > now { // it had its turn meanwhile
				l.front.crew.readAll(p) // who waits for a client must not be the reaper
				continue
			}
			p.expire(w)
		}
	}
}

// finish answers what has come and ends those who have nothing to finish; force also the others, whatever has come.
func (l *loops) finish(force bool) {
	w := newHand(l.front, true)
	w.now = nanos()
	for i := range l.places {
		p := l.places[i].Load()
		switch {
		case p == nil:
		case p.turn.CompareAndSwap(turnFree, turnTaken):
			if force {
				p.over()
			} else {
				w.take(p, true)
			}
		case force:
			p.conn.Close()
		}
	}
}
