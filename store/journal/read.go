package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// maxRead bounds the bytes of one answer of After; a single larger entry is still given.
const maxRead = 32 << 20

// hint remembers where a reader stopped, so that reading on needs no search.
type hint struct {
	seg    *segment
	index  uint32
	offset int64
}

// windows are buffers of readers; a megabyte each is too much to make anew for every call.
var windows = sync.Pool{New: func() any { return new([]byte) }}

// cursor is a place in one segment and how far it may be read.
type cursor struct {
	seg    *segment
	index  uint32
	offset int64
	count  uint32
	end    int64
}

// After implements store.Journal. It may give fewer entries than limit although there are more; only none means the end.
// kangma.Unavailable with code journal_damaged: the next entry is damaged.
func (j *Journal) After(ctx context.Context, pos store.Position, limit int) ([]store.Entry, error) {
	if limit < 1 {
		return nil, kangma.E(kangma.Invalid, "limit", "the limit is at least 1")
	}
	var out []store.Entry
	for bytes := 0; len(out) < limit && bytes < maxRead; {
		if err := ctx.Err(); err != nil {
			return nil, errGiveUp.Because(err)
		}
		c, ok, err := j.seek(pos)
		if err != nil || !ok {
			return keep(out, err)
		}
		before := pos
		var n int
		out, pos, n, err = j.readSegment(c, pos, limit, out)
		bytes += n
		if err != nil {
			return keep(out, err)
		}
		if pos == before {
			return keep(out, errDamaged)
		}
	}
	return out, nil
}

// keep gives what was read before an error; the error comes back when the caller reads on.
func keep(out []store.Entry, err error) ([]store.Entry, error) {
	if len(out) > 0 {
		return out, nil
	}
	return nil, err
}

// seek finds the entry behind pos; ok is false at the end.
func (j *Journal) seek(pos store.Position) (c cursor, ok bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if pos+1 < j.first() {
		return c, false, errGone
	}
	if pos >= j.durable {
		return c, false, nil
	}
	want := pos + 1
	for i := len(j.segments) - 1; i >= 0; i-- {
		s := j.segments[i]
		if want < s.head.First {
			continue
		}
		if want >= s.next() {
			return c, false, errDamaged // it should be here, and is not
		}
		c = cursor{seg: s, offset: headerSize, count: s.count, end: s.end}
		target := uint32(want - s.head.First)
		for lo, hi := 0, len(s.marks); lo < hi; {
			if mid := (lo + hi) / 2; s.marks[mid].index <= target {
				c.index, c.offset, lo = s.marks[mid].index, s.marks[mid].offset, mid+1
			} else {
				hi = mid
			}
		}
		for _, h := range j.hints {
			if h.seg == s && h.index <= target && h.index > c.index {
				c.index, c.offset = h.index, h.offset
			}
		}
		return c, true, nil
	}
	return c, false, errDamaged
}

// first gives the position of the oldest entry kept. j.mu is held.
func (j *Journal) first() store.Position {
	if len(j.segments) == 0 {
		return j.durable + 1
	}
	return min(j.segments[0].head.First, j.oldest)
}

// readSegment appends the entries of one segment behind pos.
func (j *Journal) readSegment(c cursor, pos store.Position, limit int, out []store.Entry) ([]store.Entry, store.Position, int, error) {
	f, err := j.opt.FS.OpenFile(filepath.Join(j.dir, c.seg.name), os.O_RDONLY, 0)
	if err != nil {
		if os.IsNotExist(err) && pos+1 < j.First() {
			return out, pos, 0, errGone // retention was faster
		}
		return out, pos, 0, errDisk.Because(fmt.Errorf("open %s: %w", c.seg.name, err))
	}
	defer f.Close()
	buf := windows.Get().(*[]byte)
	r := reader{w: window{f: f, size: c.end, buf: (*buf)[:0]}, c: c, first: c.seg.head.First, pos: pos}
	r.w.ahead = int(min(int64(limit-len(out))*512+markEvery, windowSize))
	defer func() {
		if cap(r.w.buf) <= windowSize {
			*buf = r.w.buf
			windows.Put(buf)
		}
	}()
	if out == nil {
		out = make([]store.Entry, 0, min(limit, int(c.count-c.index), 1024))
	}
	for len(out) < limit && r.bytes < maxRead && r.c.offset < c.end {
		e, given, err := r.next()
		if err != nil {
			return out, r.pos, r.bytes, errDisk.Because(fmt.Errorf("read %s: %w", c.seg.name, err))
		}
		if r.damaged {
			j.foundDamage(c.seg.name, r.c.offset, r.pos+1)
			return out, r.pos, r.bytes, errDamaged
		}
		if given {
			out = append(out, e)
		}
	}
	j.mu.Lock()
	j.hints[j.hintTurn] = hint{c.seg, r.c.index, r.c.offset}
	j.hintTurn = (j.hintTurn + 1) % len(j.hints)
	j.mu.Unlock()
	return out, r.pos, r.bytes, nil
}

// reader decodes one record after the other.
type reader struct {
	w       window
	c       cursor
	first   store.Position
	pos     store.Position
	bytes   int
	arena   []byte
	damaged bool
}

// next reads one record; given is false when it lies before the position asked for.
func (r *reader) next() (e store.Entry, given bool, err error) {
	rec, err := r.w.record(r.c.offset, r.c.seg.head.Day)
	if err != nil {
		return e, false, err
	}
	if rec == nil || rec.index() != r.c.index {
		r.damaged = true
		return e, false, nil
	}
	at := r.first + store.Position(r.c.index)
	r.c.index++
	r.c.offset += int64(len(rec))
	if at <= r.pos {
		return e, false, nil
	}
	r.pos = at
	r.bytes += len(rec)
	e = store.Entry{Position: at, Recorded: time.UnixMicro(rec.recorded()).UTC(), Event: rec.event()}
	e.Event.Data = r.keep(e.Event.Data)
	return e, true, nil
}

// arenaSize is how much data of neighbouring entries shares one allocation.
const arenaSize = 16 << 10

// keep copies data out of the window, which is used again.
func (r *reader) keep(data []byte) []byte {
	n := len(data)
	if n == 0 {
		return nil
	}
	if n > arenaSize/4 {
		return append([]byte(nil), data...)
	}
	if cap(r.arena)-len(r.arena) < n {
		r.arena = make([]byte, 0, min(arenaSize, r.w.ahead))
	}
	at := len(r.arena)
	r.arena = append(r.arena, data...)
	return r.arena[at : at+n : at+n]
}

// foundDamage raises the alarm for damage that was not there at the start. Appends go on: they do not touch it.
func (j *Journal) foundDamage(name string, offset int64, pos store.Position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range j.damage {
		if d.Segment == name && d.Offset == offset {
			return
		}
	}
	j.damage = append(j.damage, Damage{Segment: name, Offset: offset, From: pos, To: pos, Reason: "record"})
	go j.alarm("damage", fmt.Sprintf("%s is damaged at byte %d", name, offset))
}

// Damage lists what is damaged; empty when all is well.
func (j *Journal) Damage() []Damage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Damage(nil), j.damage...)
}
