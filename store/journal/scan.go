package journal

import (
	"io"

	"github.com/kangma/kangma/store"
)

// markEvery is how many bytes of a segment lie between two entries of its index in memory.
const markEvery = 32 << 10

// mark says where in a file the record with an index begins.
type mark struct {
	index  uint32
	offset int64
}

// Damage is one stretch of a journal that was durable once and cannot be trusted any more.
type Damage struct {
	Segment string         // file name
	Offset  int64          // where the stretch begins in the file
	From    store.Position // first position lost; 0 where no record is lost
	To      store.Position // last position lost
	Reason  string         // closed set: header, missing, record, truncated, checkpoint
}

// scan is what walking one segment found.
type scan struct {
	head     header
	headOK   bool
	size     int64 // of the file
	end      int64 // behind the last good record
	count    uint32
	chain    chain
	recorded int64 // of the last good record
	earliest int64 // of the first good record; the end of the day if there is none
	marks    []mark
	damage   []Damage
	restored int
	adopted  int
	lost     int
	torn     bool // bytes after end belong to no acknowledged record
}

// scanner walks one segment.
type scanner struct {
	name    string
	w       window
	out     scan
	durable store.Position // everything up to here was acknowledged or may have been
	last    bool           // no segment follows, so the tail may be torn
	each    func(record)   // told of every good record; may be nil
}

// window is a part of a file held in memory.
type window struct {
	f    io.ReaderAt
	size int64
	buf  []byte
	off  int64 // of buf[0]

	ahead int // how much to read at once; 0: windowSize
}

const windowSize = 1 << 20

// at gives n bytes at off, or nil when the file has fewer.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off+int64(n) > w.size {
		return nil, nil
	}
	if off >= w.off && off+int64(n) <= w.off+int64(len(w.buf)) {
		return w.buf[off-w.off:][:n:n], nil
	}
	ahead := w.ahead
	if ahead == 0 {
		ahead = windowSize
	}
	want := int(min(int64(max(n, ahead)), w.size-off))
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	w.buf, w.off = w.buf[:want], off
	if got, err := w.f.ReadAt(w.buf, off); got < want {
		w.buf = w.buf[:0]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return w.buf[:n:n], nil
}

// record gives the well-formed record at off, or nil.
func (w *window) record(off int64, day uint32) (record, error) {
	p, err := w.at(off, prefixSize)
	if p == nil {
		return nil, err
	}
	size, ok := frame(p)
	if !ok {
		return nil, nil
	}
	b, err := w.at(off, size)
	if b == nil || !record(b).wellFormed(day) {
		return nil, err
	}
	return b, nil
}

// run walks the segment. An error is a failure to read, not damage.
func (s *scanner) run() (scan, error) {
	o := &s.out
	o.size, o.end = s.w.size, headerSize
	raw, err := s.w.at(0, headerSize)
	if err != nil {
		return *o, err
	}
	h, ok := decodeHeader(raw)
	first, day, _ := parseSegmentName(s.name)
	o.headOK = ok && h.First == first && h.Day == day
	if o.head = h; !o.headOK {
		o.head = header{First: first, Day: day}
	}
	o.chain, o.recorded = o.head.Prev, o.head.Recorded
	o.earliest = (int64(day)+1)*microsPerDay - 1
	trust := o.headOK // whether the chain so far can be checked
	for o.end < s.w.size {
		r, err := s.w.record(o.end, day)
		if err != nil {
			return *o, err
		}
		if r != nil && s.fits(r, trust) {
			s.take(r)
			trust = true
			continue
		}
		before := o.end
		if resumed, err := s.skip(trust); err != nil || !resumed {
			return *o, err
		}
		trust = trust && o.end == before // nothing was skipped
	}
	s.missingTail()
	return *o, nil
}

// fits says whether a well-formed record is the next one.
func (s *scanner) fits(r record, trust bool) bool {
	o := &s.out
	if r.index() != o.count || r.recorded() < o.recorded {
		return false
	}
	if !trust || r.flags()&flagAdopted != 0 {
		return true
	}
	stored := r.chain()
	if o.chain.next(r.body()) == stored {
		return true
	}
	copy(r.body()[atChain:], stored[:])
	return false
}

// take accepts the record at the end.
func (s *scanner) take(r record) {
	o := &s.out
	if n := len(o.marks); n == 0 || o.end-o.marks[n-1].offset >= markEvery {
		o.marks = append(o.marks, mark{o.count, o.end})
	}
	o.chain, o.recorded = r.chain(), r.recorded()
	o.earliest = min(o.earliest, o.recorded)
	o.count++
	o.end += int64(len(r))
	if s.each != nil {
		s.each(r)
	}
	if r.flags()&flagRestored != 0 {
		o.restored++
	}
	if r.flags()&flagAdopted != 0 {
		o.adopted++
	}
	if r.kind() == kindLost {
		o.lost++
	}
}

// skip deals with bytes at the end that are not the next record. Either they are a torn tail, which nobody was promised,
// or they were durable: then they are damage and the walk goes on behind them, if anything is there. trust is that of fits.
func (s *scanner) skip(trust bool) (resumed bool, err error) {
	o := &s.out
	bad, index := o.end, o.count
	whole := o.head.First+store.Position(index) > s.durable // nothing that was promised is missing
	if whole {
		if clean, err := s.onlyZeros(bad); err != nil || clean {
			return false, err
		}
	}
	doubt := whole && s.last
	at, next, proof, err := s.resync(bad+1, index, doubt)
	if err != nil {
		return false, err
	}
	if doubt && !proof {
		o.torn = true
		return false, nil
	}
	if doubt {
		if late, err := s.cameLate(trust); err != nil || late {
			return late, err
		}
	}
	if next <= index { // nothing usable follows
		s.missingTail()
		if len(o.damage) == 0 || o.damage[len(o.damage)-1].Offset != bad {
			o.damage = append(o.damage, Damage{Segment: s.name, Offset: bad, Reason: "record"})
		}
		return false, nil
	}
	o.damage = append(o.damage, Damage{Segment: s.name, Offset: bad, Reason: "record",
		From: o.head.First + store.Position(index), To: o.head.First + store.Position(next) - 1})
	o.end, o.count = at, next
	o.marks = append(o.marks, mark{next, at}) // so that what follows can be read without passing the damage
	return true, nil
}

// cameLate reads the next record again. Beside a running node it may have been written after the walk had read its place, and what
// follows it after that. The proof that it was durable before what follows says that it is there now.
func (s *scanner) cameLate(trust bool) (bool, error) {
	s.w.buf = s.w.buf[:0]
	r, err := s.w.record(s.out.end, s.out.head.Day)
	return r != nil && s.fits(r, trust), err
}

// resync looks for the first well-formed record from off on with an index above bad, and for proof that record bad was
// durable: a record of a later group commit, because that one was written only after the earlier were fsynced. Without
// doubt it looks for no proof.
func (s *scanner) resync(off int64, bad uint32, doubt bool) (at int64, next uint32, proof bool, err error) {
	for off+prefixSize+minBody <= s.w.size {
		r, err := s.candidate(off, bad)
		if err != nil {
			return 0, 0, false, err
		}
		if r == nil {
			off++
			continue
		}
		if next == 0 {
			at, next = off, r.index()
		}
		if !doubt || r.index()-r.back() > bad {
			return at, next, true, nil
		}
		off += int64(len(r))
	}
	return at, next, false, nil
}

// candidate is window.record with the cheap questions first, as it is asked at every byte.
func (s *scanner) candidate(off int64, bad uint32) (record, error) {
	b, err := s.w.at(off, prefixSize+minBody)
	if b == nil {
		return nil, err
	}
	size, ok := frame(b)
	r := record(b)
	if !ok || off+int64(size) > s.w.size || r.index() <= bad || dayOf(r.recorded()) != s.out.head.Day {
		return nil, nil
	}
	if int64(r.index()-bad) > (off-s.out.end)/(prefixSize+minBody) { // so many records cannot lie in between
		return nil, nil
	}
	return s.w.record(off, s.out.head.Day)
}

// missingTail notes acknowledged records that should follow the end of the segment and do not.
func (s *scanner) missingTail() {
	o := &s.out
	next := o.head.First + store.Position(o.count)
	if next <= s.durable {
		o.damage = append(o.damage, Damage{Segment: s.name, Offset: o.end, Reason: "truncated", From: next, To: s.durable})
	}
}
