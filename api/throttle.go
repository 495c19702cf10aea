package api

import (
	"container/list"
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// class says who is let in first when not everybody can be.
type class uint8

const (
	forGates     class = iota // somebody stands before a barrier
	forResidents              // somebody opens their code
	forResults                // a few pieces of evidence come in: perhaps a positive test
	forFeeds                  // evidence and lists come in by the thousand
	forOffices                // everything else: the office, analytics, photos
	classes
)

// classShare is how much of the capacity a class may fill: what is left is for those before it.
var classShare = [classes]float64{1, 0.85, 0.6, 0.5, 0.25}

const (
	perProcessor = 64 // requests under way for each processor: enough to fill it while others wait for the disk
	leastLimit   = 4
	maxWait      = 300 * time.Millisecond // in the queue; who waits longer would soon give up anyhow
	paceWindow   = 250 * time.Millisecond
	paceShare    = 0.95 // of what is served is promised to those who were told to come again
	paceSmooth   = 0.3
	firstPace    = 2000 // requests a second, until the first busy window has shown it
	maxRetry     = 120  // seconds
)

// throttle bounds the requests under way, keeps a short queue of each class, and tells those it refuses when there will
// be room: their place in a virtual queue that moves as fast as requests are really served (reliability: a fixed
// Retry-After brings everybody back at once, and the herd tramples on).
type throttle struct {
	now   func() time.Time
	limit int

	mu      sync.Mutex
	running int
	parked  int                // scans that only wait for the disk
	queues  [classes]list.List // of *waiter, longest waiting first
	refused [classes]uint64
	pace    pace
	press   time.Time // when somebody was refused last

	pacing  atomic.Int64 // pace.perSecond, for who has no lock
	heard   atomic.Int64 // when hear last let others go first, by nanos
	lag     atomic.Int64 // how long they then ran, ns, smoothed
	crammed atomic.Int64 // until when it does so for every request

	turnAt  atomic.Int64 // when a loop last had others wait for their turn, by nanos
	turnLag atomic.Int64 // how long, ns, smoothed
}

type waiter struct {
	granted chan struct{}
	in      bool // granted
}

func newThrottle(limit int, now func() time.Time) *throttle {
	t := &throttle{now: now, limit: max(leastLimit, limit)}
	t.pace.perSecond = firstPace
	t.pacing.Store(firstPace)
	return t
}

// queueLength is how many more than there is room for may wait, for each place. Gates wait for the disk together and phones come in
// bursts: a queue that is worked off in some tens of milliseconds refuses nobody for a moment's sake. What becomes too old is refused by its age.
var queueLength = [classes]int{8, 8, 1, 1, 1}

func (t *throttle) most(c class) int {
	n := queueLength[c] * t.room(c)
	if c > forResidents {
		return n
	}
	return max(leastLimit, min(n, t.within(queueTime)))
}

// queueTime is how much work may wait in a queue of gates or residents: on a slow processor, or a share of one, those at the end of a
// long queue would have waited too long.
const queueTime = 50 * time.Millisecond

// within is how many requests are served in a time.
func (t *throttle) within(d time.Duration) int {
	return int(t.pacing.Load() * int64(d) / int64(time.Second))
}

func (t *throttle) room(c class) int { return max(1, int(float64(t.limit)*classShare[c])) }

// enter lets a request in, now or after a short wait. If not, it gives the seconds after which to come again; 0 with
// false: the client went away. After true, leave must be called.
func (t *throttle) enter(ctx context.Context, c class) (retryAfter int, ok bool) {
	t.mu.Lock()
	if t.running < t.room(c) {
		t.running++
		t.mu.Unlock()
		return 0, true
	}
	t.pace.busy = true
	if t.queues[c].Len() >= t.most(c) {
		defer t.mu.Unlock()
		return t.refuse(c), false
	}
	w := &waiter{granted: make(chan struct{})}
	place := t.queues[c].PushBack(w)
	t.mu.Unlock()
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-w.granted:
		return 0, true
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.in { // just now
		return 0, true
	}
	t.queues[c].Remove(place)
	if ctx.Err() != nil {
		return 0, false
	}
	return t.refuse(c), false
}

// enterNow lets a request in where there is room for it at once. After true, leave must be called.
func (t *throttle) enterNow(c class) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running >= t.room(c) {
		return false
	}
	t.running++
	return true
}

// enterUnless refuses who has waited too long before being heard (their patience is as good as over, and fresher requests
// can still be served in time), and lets everybody else enter.
func (t *throttle) enterUnless(late bool, c class) (retryAfter int, ok bool) {
	if !late {
		return t.enter(context.Background(), c)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refuse(c), false
}

// leave makes room for the next, the longest waiting of the first class that may, and counts one as served.
func (t *throttle) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.served()
	t.out()
}

// served counts one. The lock is held.
func (t *throttle) served() {
	t.pace.done(t.now())
	t.pacing.Store(int64(t.pace.perSecond))
}

// park gives back the place of one who was let in and now only waits for the disk with many others, unless too many do already:
// then the disk is what is too slow, and newcomers are kept out by the places that are held. After true, leaveParked must be called
// instead of leave.
func (t *throttle) park() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parked >= t.most(forGates) {
		return false
	}
	t.parked++
	t.out()
	return true
}

// leaveParked counts one that parked as served.
func (t *throttle) leaveParked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parked--
	t.served()
}

// withdraw refuses who was let in and has had nothing.
func (t *throttle) withdraw(c class) (retryAfter int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out()
	return t.refuse(c)
}

// out makes room. The lock is held.
func (t *throttle) out() {
	t.running--
	for c := range classes {
		for t.queues[c].Len() > 0 && t.running < t.room(c) {
			w := t.queues[c].Remove(t.queues[c].Front()).(*waiter)
			w.in = true
			t.running++
			close(w.granted)
		}
	}
}

const (
	hearEvery  = 5 * time.Millisecond
	hearLong   = 100 * time.Microsecond // others ran for so long: the processor is full
	hearAlways = 20 * time.Millisecond
	hearSmooth = 8
	lagMost    = 400 * time.Microsecond // on average: some ten requests are heard later than they could be
	lagFresh   = 100 * time.Millisecond // nobody has come since: nobody is kept waiting
)

// cramped reports whether requests have lately been heard late, for want of processor. It is true also when few connections
// bring them, of which never many are inside.
func (t *throttle) cramped() bool {
	now := nanos()
	return t.lag.Load() > int64(lagMost) && now-t.heard.Load() < int64(lagFresh) ||
		t.turnLag.Load() > int64(lagMost) && now-t.turnAt.Load() < int64(lagFresh)
}

// noteTurn keeps for how long others were ready while a loop served the turn before theirs. It is apart from lag: while scans wait, the
// few shows beside them hardly do.
func (t *throttle) noteTurn(before, after int64) {
	t.turnAt.Store(after)
	lag := t.turnLag.Load()
	t.turnLag.Store(lag + (min(after-before, int64(maxWait))-lag)/hearSmooth)
}

// hear lets those who have sent a request be heard before the work of one who is inside goes on. An answer that needs
// nothing but the processor runs from its beginning to its end; without this a full processor would never see more than
// one of them inside, the queue would be where nobody sees it, and nobody would be told to come later. While there is
// nobody to hear it is tried now and then only: it costs a few microseconds.
func (t *throttle) hear() {
	before := nanos()
	if before > t.crammed.Load() && before-t.heard.Load() < int64(hearEvery) {
		return
	}
	runtime.Gosched()
	t.note(before, nanos())
}

// note keeps for how long others ran.
func (t *throttle) note(before, after int64) {
	t.heard.Store(after)
	lag := t.lag.Load()
	t.lag.Store(lag + (min(after-before, int64(maxWait))-lag)/hearSmooth) // one of several at once may be lost
	if after-before > int64(hearLong) {
		t.crammed.Store(after + int64(hearAlways))
	}
}

// refuse books a place in the virtual queue. The lock is held.
func (t *throttle) refuse(c class) int {
	now := t.now()
	t.refused[c]++
	t.press = now
	t.pace.busy = true
	return t.pace.place(now)
}

// full reports whether a newcomer of whom nothing is known yet would be refused, and then when to come again.
func (t *throttle) full() (retryAfter int, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running < t.room(forResidents) || t.queues[forResidents].Len() < t.most(forResidents) {
		return 0, false
	}
	return t.refuse(forResidents), true
}

// crammedFull is full without booking a place.
func (t *throttle) crammedFull() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running >= t.room(forResidents) && t.queues[forResidents].Len() >= t.most(forResidents)
}

// turnedAway books a place for a newcomer of whom nothing is known.
func (t *throttle) turnedAway() (retryAfter int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refuse(forResidents)
}

// pressed reports whether anybody was refused within the last second.
func (t *throttle) pressed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.press.IsZero() && t.now().Sub(t.press) < time.Second
}

// pace knows how many requests a second are served, and gives places in a queue that moves a little slower than that.
type pace struct {
	perSecond float64
	count     int
	since     time.Time
	busy      bool      // somebody had to wait in this window, so its count is what we can do
	next      time.Time // the last place given
}

func (p *pace) done(now time.Time) {
	if p.count++; p.count == 1 && p.since.IsZero() {
		p.since = now
		return
	}
	span := now.Sub(p.since)
	if span < paceWindow {
		return
	}
	rate := float64(p.count) / span.Seconds()
	if p.busy {
		p.perSecond += paceSmooth * (rate - p.perSecond)
	} else {
		p.perSecond = max(p.perSecond, rate)
	}
	p.perSecond = max(p.perSecond, 1)
	p.count, p.since, p.busy = 0, now, false
}

// place gives the seconds until the next free place, at least one.
func (p *pace) place(now time.Time) int {
	if p.next.Before(now) {
		p.next = now
	}
	if p.next.Sub(now) < maxRetry*time.Second {
		p.next = p.next.Add(time.Duration(float64(time.Second) / (paceShare * p.perSecond)))
	}
	return min(maxRetry, max(1, int(math.Ceil(p.next.Sub(now).Seconds()))))
}
