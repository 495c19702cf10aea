package journal

import (
	"errors"
	"syscall"
	"time"

	"github.com/kangma/kangma/store"
)

// Stats are figures of one open journal, since Open unless said.
type Stats struct {
	Appended    uint64 // events made durable
	Bytes       uint64 // written for them
	Fsyncs      uint64 // group commits; Appended/Fsyncs events share one
	LargestSync uint64 // most events that shared one fsync
	Rotations   uint64 // segments begun
	Refused     uint64 // appends refused because too much was waiting
	Failures    uint64 // group commits that failed; nothing of them was acknowledged
	Removed     uint64 // segments removed by retention
	Queued      int    // bytes waiting now
	Segments    int    // kept now
	Size        int64  // bytes of the kept segments
	First       store.Position
	Last        store.Position
	Released    store.Position
	ReadOnly    bool
	DiskFull    bool          // the last commit failed for want of space
	Broken      bool          // the last commit failed
	Ballast     bool          // the ballast file is in place
	ClockBehind time.Duration // how far the clock was behind Recorded at the last commit
	Damage      []Damage
	LastError   string // of the last failed commit, empty after a good one; names files, no data
	Recovery    Recovery
}

// Recovery says what Open found and did.
type Recovery struct {
	Records  uint64
	Bytes    int64
	Segments int
	Torn     int64 // bytes of a torn tail that were cut; none of them was acknowledged
	Restored int   // records put back by Repair
	Adopted  int   // links of the chain taken over by Repair
	Lost     int   // positions given up by Repair
}

func (s *Stats) committed(b *batch) {
	s.Appended += uint64(b.count)
	s.Bytes += uint64(len(b.buf))
	s.Fsyncs++
	s.LargestSync = max(s.LargestSync, uint64(b.count))
	s.DiskFull, s.Broken, s.LastError = false, false, ""
}

// failed is called with j.mu held.
func (j *Journal) failed(err error) {
	s := &j.stats
	s.Failures++
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	first := !s.Broken || s.DiskFull != full
	s.Broken, s.DiskFull, s.LastError = true, full, err.Error()
	if !first {
		return
	}
	if full {
		go j.alarm("disk-full", "the journal's disk is full; nothing is acknowledged until there is space")
	} else {
		go j.alarm("disk-broken", "the journal cannot write: "+err.Error())
	}
}

// Stats gives the figures now.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Queued, s.Segments, s.Last, s.Released, s.ReadOnly = j.queued, len(j.segments), j.durable, j.released, j.readOnly
	s.First = j.first()
	s.Damage = append([]Damage(nil), j.damage...)
	for _, g := range j.segments {
		s.Size += g.end
	}
	return s
}

func (j *Journal) alarm(code, what string) {
	j.opt.Logger.Error("journal alarm", "code", code, "what", what)
	if j.opt.Alarm != nil {
		j.opt.Alarm(Alarm{Code: code, What: what})
	}
}

// note keeps an error of the background, where nobody waits for it.
func (j *Journal) note(err error) { j.opt.Logger.Error("journal background", "error", err) }
