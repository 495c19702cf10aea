package api

import "sync"

// crew are goroutines that serve those who may have to wait: who came back last goes first, since their stack is still in the caches.
type crew struct {
	front  *front
	mu     sync.Mutex
	idle   []chan *polled
	closed bool
}

// give has somebody serve p.
func (c *crew) give(p *polled) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		to := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		to <- p
		return
	}
	c.mu.Unlock()
	c.front.workers.Go(func() { c.work(p) })
}

// readAll has somebody serve p, of whom news have come that nobody will repeat.
func (c *crew) readAll(p *polled) {
	p.passed, p.more = true, true
	c.give(p)
}

func (c *crew) work(p *polled) {
	w, mine := newHand(c.front, false), make(chan *polled, 1)
	for ok := true; ok; {
		w.now = nanos()
		w.take(p, false)
		c.mu.Lock()
		if c.closed || len(c.idle) >= idleWorkers {
			c.mu.Unlock()
			return
		}
		c.idle = append(c.idle, mine)
		c.mu.Unlock()
		p, ok = <-mine
	}
}

// close ends those who have nothing to do.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, w := range c.idle {
		close(w)
	}
	c.idle = nil
}
