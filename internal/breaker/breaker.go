// Package breaker is a circuit breaker for one remote server: after it has failed for a while nobody waits for it any
// more, and one caller at a time tries whether it is back. It knows no protocol and asks no clock: time is an argument.
package breaker

import (
	"sync"
	"time"
)

// Breaker guards one server. The zero Breaker is closed (calls go through) and usable. It is safe for concurrent use.
type Breaker struct {
	// After is how long calls must have failed, with none succeeding, until the breaker opens; three failures in a row
	// open it at once.
	After time.Duration
	// Probe is the pause between two tries while it is open.
	Probe time.Duration

	mu       sync.Mutex
	failures int
	since    time.Time // of the first failure in a row
	next     time.Time // when the next try may start
	open     bool
}

// Allow reports whether a call may go out at this moment. While open, one call in each Probe may: the try.
func (b *Breaker) Allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return true
	}
	if now.Before(b.next) {
		return false
	}
	b.next = now.Add(b.Probe)
	return true
}

// Done takes the outcome of a call that was allowed. It reports whether this outcome opened the breaker, which is the moment
// to start a probe where there is one.
func (b *Breaker) Done(ok bool, now time.Time) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures, b.open = 0, false
		return false
	}
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	if !b.open && (b.failures >= 3 || now.Sub(b.since) >= b.After) && b.failures >= 2 {
		b.open, b.next = true, now.Add(b.Probe)
		return true
	}
	return false
}

// Open reports whether the server counts as down.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}
