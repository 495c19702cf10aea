package presign

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
)

// pair is what a signature needs of its nonce: r, then the inverse of k, 32 octets each.
type pair [64]byte

const (
	batch    = 64 // pairs drawn with one inversion
	inNeed   = 16 // the same, where somebody waits for the first of them
	clockMay = 500 * time.Millisecond
)

// Stock is a bounded number of nonces that nobody has used. It may be used concurrently.
type Stock struct {
	clocks func() (wall, steady time.Duration) // since any moment; the steady one is never set

	mu     sync.Mutex
	memory []byte
	pairs  int           // in memory, from its beginning
	apart  time.Duration // of the clocks, when they were looked at last
	closed bool

	missed atomic.Uint64
	lost   atomic.Uint64
}

// New makes an empty stock in so many bytes of memory, 64 for each nonce, that are taken from the system when they are
// filled. kangma.Unavailable: the system gives no memory.
func New(bytes int) (*Stock, error) {
	if bytes < len(pair{}) {
		return nil, kangma.E(kangma.Invalid, "nonce_stock", "a stock of nonces has room for one at least")
	}
	memory, err := private(bytes - bytes%len(pair{}))
	if err != nil {
		return nil, kangma.E(kangma.Unavailable, "nonce_stock", "no memory for a stock of nonces").Because(err)
	}
	start := time.Now()
	s := &Stock{memory: memory, clocks: func() (wall, steady time.Duration) {
		now := time.Now()
		return now.Round(0).Sub(start.Round(0)), now.Sub(start)
	}}
	return s, nil
}

// Close erases the stock. Keys that use it go on as if there were none.
func (s *Stock) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.forget()
	s.closed = true
	memory := s.memory
	s.memory = nil
	return giveBack(memory)
}

// Stats is what has become of the nonces.
type Stats struct {
	Ready, Room int
	Missed      uint64 // signatures for which none was ready: theirs was drawn while they waited
	Forgotten   uint64 // nonces erased because the clock jumped
}

// Stats tells what has become of the nonces.
func (s *Stock) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Ready: s.pairs, Room: len(s.memory) / len(pair{}), Missed: s.missed.Load(), Forgotten: s.lost.Load()}
}

// Draw draws some nonces (about a millisecond's work) and puts them in. False: the stock is full, or closed.
func (s *Stock) Draw() (more bool) {
	if !s.room() {
		return false
	}
	var fresh [batch]pair
	draw(fresh[:])
	s.put(fresh[:])
	return s.room()
}

func (s *Stock) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return (s.pairs+1)*len(pair{}) <= len(s.memory)
}

// put takes over as many pairs as there is room for, and erases them all where they were.
func (s *Stock) put(fresh []pair) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range fresh {
		if at := s.pairs * len(pair{}); at < len(s.memory) {
			copy(s.memory[at:], fresh[i][:])
			s.pairs++
		}
	}
	clear(fresh)
}

// take gives one pair, which is then nowhere else. False: the stock is closed.
func (s *Stock) take(out *pair) bool {
	s.mu.Lock()
	closed := s.closed
	s.look()
	if s.pairs > 0 {
		s.pairs--
		held := s.memory[s.pairs*len(pair{}):][:len(pair{})]
		copy(out[:], held)
		clear(held)
	}
	s.mu.Unlock()
	switch {
	case closed:
		return false
	case *out != pair{}: // memory that a child process inherits is zero
		return true
	}
	s.missed.Add(1)
	var fresh [inNeed]pair
	draw(fresh[:])
	*out = fresh[0]
	s.put(fresh[1:])
	clear(fresh[:1])
	return true
}

// look compares the two clocks. They part when the machine was asleep or went on from a snapshot: what it had drawn may
// then have been used by its other life. The lock is held.
func (s *Stock) look() {
	wall, steady := s.clocks()
	jump := wall - steady - s.apart
	s.apart += jump // so that a clock that is slewed for hours never adds up to a jump
	if jump.Abs() > clockMay {
		s.lost.Add(uint64(s.pairs))
		s.forget()
	}
}

// forget erases everything. The lock is held.
func (s *Stock) forget() {
	clear(s.memory[:s.pairs*len(pair{})])
	s.pairs = 0
}
