package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/kangma/kangma/store"
)

// writer is the state of the committer, the one goroutine that writes segments.
type writer struct {
	file     File
	seg      *segment // nil: the next commit begins one
	next     store.Position
	chain    chain
	recorded int64 // Recorded never goes below this
	size     int64 // of the file, at most: zeros from the segment's end on
	zeros    []byte
	began    time.Time // the last commit, by the machine's clock
	calls    int       // appends in it
	dirty    bool      // bytes of a failed commit may lie behind the end
	suspect  bool      // an fsync failed: what the kernel now calls clean may not be on the disk, so never append here again
}

// commits runs until Close: it makes one batch after the other durable. While it waits for the disk the writers fill the
// next batch, so one fsync serves all that came meanwhile.
func (j *Journal) commits() {
	defer j.done.Done()
	for {
		select {
		case <-j.wake:
			j.commitPending()
		case <-j.quit:
			j.commitPending()
			return
		}
	}
}

// gatherYields bounds how often the committer lets the writers it has just woken run before it takes the next batch.
const gatherYields = 100

// gather waits a few microseconds for those writers to come back, so that all share the next fsync. Without it two halves
// of the writers take turns, each waiting for the fsync of the other. It asks the scheduler, not a clock, and costs a lone
// writer nothing.
//
// Where writers do not come back but others come all the time (people at gates), yielding gathers nobody. There many commits a second
// cost more processor than the scans in them, so those of many keep Options.Pace between them.
func (j *Journal) gather() {
	yields, wait := gatherYields, time.Duration(0)
	if j.opt.Pace > 0 && j.w.calls >= paceFrom {
		yields, wait = paceYields, j.opt.Pace-time.Since(j.w.began)
	}
	for range yields {
		j.mu.Lock()
		enough := j.pending == nil || j.pending.calls >= j.expected
		j.mu.Unlock()
		if enough {
			return
		}
		runtime.Gosched()
	}
	if wait > 0 {
		time.Sleep(min(wait, j.opt.Pace))
	}
}

const (
	paceFrom   = 16 // appends in the last commit: fewer are not kept waiting
	paceYields = 4
)

func (j *Journal) commitPending() {
	j.gather()
	j.mu.Lock()
	b := j.pending
	j.pending = nil
	j.mu.Unlock()
	if b == nil {
		return
	}
	j.w.began, j.w.calls = time.Now(), b.calls
	ends, err := j.write(b)
	if errors.Is(err, syscall.ENOSPC) && j.freeBallast() {
		ends, err = j.write(b)
	}
	j.finish(b, ends, err)
}

// write makes the batch durable or says why not. It may be called again for the same batch.
func (j *Journal) write(b *batch) (marks []mark, err error) {
	w := &j.w
	now := j.opt.Now().UnixMicro()
	j.watchClock(now)
	now = max(now, w.recorded)
	if err := j.room(now); err != nil {
		return nil, err
	}
	j.mu.Lock()
	index, end := w.seg.count, w.seg.end
	lastMark := int64(-markEvery)
	if n := len(w.seg.marks); n > 0 {
		lastMark = w.seg.marks[n-1].offset
	}
	j.mu.Unlock()
	c, back := w.chain, uint32(0)
	for off := 0; off < len(b.buf); back++ {
		size, _ := frame(b.buf[off:])
		c = seal(b.buf[off:][:size], c, back, index+back, now)
		if at := end + int64(off); at-lastMark >= markEvery {
			marks, lastMark = append(marks, mark{index + back, at}), at
		}
		off += size
	}
	j.writeAhead(end + int64(len(b.buf)))
	if _, err := w.file.WriteAt(b.buf, end); err != nil {
		w.dirty = true
		return nil, fmt.Errorf("write %s: %w", w.seg.name, err)
	}
	if err := w.file.Sync(); err != nil {
		w.dirty, w.suspect = true, true
		return nil, fmt.Errorf("sync %s: %w", w.seg.name, err)
	}
	w.chain, w.recorded = c, now
	return marks, nil
}

// clockSlack is how far the clock may go back before somebody should look at it.
const clockSlack = int64(60_000_000)

// watchClock raises the alarm when the clock has gone back far; Recorded then stands still until the clock has caught up.
func (j *Journal) watchClock(now int64) {
	behind := max(j.w.recorded-now, 0)
	j.mu.Lock()
	first := behind > clockSlack && j.stats.ClockBehind <= time.Duration(clockSlack)*time.Microsecond
	j.stats.ClockBehind = time.Duration(behind) * time.Microsecond
	j.mu.Unlock()
	if first {
		go j.alarm("clock-back", "the node's clock is behind what the journal recorded; times stand still until it has caught up")
	}
}

// finish tells the waiters, after the state shows what they will be told.
func (j *Journal) finish(b *batch, marks []mark, err error) {
	j.mu.Lock()
	j.queued -= len(b.buf)
	j.expected = b.calls
	if j.pending != nil {
		j.expected += j.pending.calls
	}
	if err != nil {
		b.err = errDisk.Because(err)
		j.failed(err)
	} else {
		s := j.w.seg
		b.first = s.next()
		s.count += b.count
		s.end += int64(len(b.buf))
		s.last = j.w.recorded
		s.marks = append(s.marks, marks...)
		j.durable, j.head = s.next()-1, j.w.chain
		j.w.next = s.next()
		j.ckptStale = true
		j.stats.committed(b)
	}
	if cap(b.buf) <= maxSpare {
		j.spareBuf = b.buf[:0]
	}
	j.mu.Unlock()
	close(b.done)
}

const maxSpare = 4 << 20

// room sees to it that the writer stands at a clean end of a segment of the right day.
func (j *Journal) room(now int64) error {
	w := &j.w
	if w.dirty {
		// The kernel forgets a failed write-back, so a second fsync would prove nothing about those bytes: cut them off.
		if err := w.cut(); err != nil {
			return err
		}
		w.dirty = false
	}
	if w.seg != nil && !w.suspect && w.seg.head.Day == dayOf(now) && w.seg.end < j.opt.MaxSegmentBytes {
		return nil
	}
	return j.rotate(now)
}

// rotate begins a segment. Nothing is written to it before its header and its name are durable, so a file no longer than
// a header never held anything.
func (j *Journal) rotate(now int64) error {
	w := &j.w
	if w.seg != nil && w.size > w.seg.end { // zeros may follow the records of the last segment only
		if err := w.cut(); err != nil {
			return err
		}
	}
	h := header{Journal: j.id, First: w.next, Recorded: w.recorded, Day: dayOf(now), Prev: w.chain}
	s := &segment{name: segmentName(h.First, h.Day), head: h, end: headerSize, last: w.recorded}
	f, err := j.opt.FS.OpenFile(filepath.Join(j.dir, s.name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("new segment: %w", err)
	}
	if err := beginSegment(j.opt.FS, j.dir, f, h); err != nil {
		f.Close()
		return fmt.Errorf("new segment: %w", err)
	}
	if w.file != nil {
		w.file.Close()
	}
	w.file, w.seg, w.size, w.suspect, w.dirty = f, s, headerSize, false, false
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 && j.segments[n-1].name == s.name {
		j.segments = j.segments[: n-1 : n-1] // an empty one begun before, overwritten now
	}
	j.segments = append(j.segments[:len(j.segments):len(j.segments)], s)
	j.stats.Rotations++
	return nil
}

func beginSegment(fs FS, dir string, f File, h header) error {
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return fs.SyncDir(dir)
}

// genesis is the chain before the first record of a journal.
func genesis(id [16]byte) chain {
	sum := sha256.Sum256(append([]byte("kangma journal\n"), id[:]...))
	return chain(sum[:16])
}
