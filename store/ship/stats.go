package ship

import (
	"time"

	"github.com/kangma/kangma/store"
)

// Stats are figures of a Shipper since it was made, unless said.
type Stats struct {
	Loaded      store.Position // everything up to here is in the warehouse
	Last        store.Position // the last entry known to be in the journal
	Lag         uint64         // entries between the two
	LagTime     time.Duration  // age of the oldest entry that is not loaded; 0 when all is
	Batches     uint64
	Rows        uint64
	Entries     uint64 // positions covered by the batches
	Failures    uint64 // calls of the journal or the warehouse that failed and were made again
	Undecodable uint64 // passages left out because their bytes cannot be read; they stay in the journal
	Skipped     uint64 // positions the journal no longer had
	Released    store.Position
	Stalled     bool
	LastError   string    // of the last call, empty after a good one
	Progress    time.Time // when the warehouse last confirmed something; the start before that
}

// Stats gives the figures now.
func (s *Shipper) Stats() Stats {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	if b, ok := s.cfg.Journal.(bounds); ok {
		st.Last = max(st.Last, b.Last())
	}
	st.Last = max(st.Last, st.Loaded)
	st.Lag = uint64(st.Last - st.Loaded)
	if st.Lag > 0 && !s.oldest.IsZero() {
		st.LagTime = max(now.Sub(s.oldest), 0)
	}
	return st
}

// alarm tells of a code once until calm is called with it.
func (s *Shipper) alarm(code, what string) {
	s.mu.Lock()
	told := s.told[code]
	s.told[code] = true
	if code == "stalled" {
		s.stats.Stalled = true
	}
	s.mu.Unlock()
	if told {
		return
	}
	s.cfg.Logger.Error("ship alarm", "node", s.cfg.Node, "code", code, "what", what)
	if s.cfg.Alarm != nil {
		s.cfg.Alarm(Alarm{Code: code, What: what})
	}
}

func (s *Shipper) calm(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.told, code)
	if code == "stalled" {
		s.stats.Stalled = false
	}
}
