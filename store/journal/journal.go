package journal

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Journal implements store.Journal on one directory. Make one with Open, end it with Close. All methods may be called
// concurrently.
type Journal struct {
	dir  string
	opt  Options
	id   [16]byte
	lock io.Closer // of the directory; nil when opened read-only

	mu        sync.Mutex // guards what follows
	segments  []*segment // in order; the last one is written to
	durable   store.Position
	released  store.Position
	oldest    store.Position
	pending   *batch // being filled; nil: none
	queued    int    // bytes in pending and in the batch being written
	closed    bool
	readOnly  bool
	damage    []Damage
	stats     Stats
	hints     [4]hint
	hintTurn  int
	ckptStale bool
	head      chain  // of the last durable record
	expected  int    // calls that will share the next fsync if the writers just woken come back at once
	spareBuf  []byte // of an earlier batch, to be used again

	wake chan struct{} // of the committer, 1 deep
	quit chan struct{}
	done sync.WaitGroup

	ckptMu   sync.Mutex // one checkpoint write at a time
	ckpt     checkpoint
	ckptFile File

	w writer // only the committer touches it
}

// segment is one file. Its name, first and day never change; the rest is guarded by Journal.mu.
type segment struct {
	name  string
	head  header
	count uint32
	end   int64
	last  int64 // latest Recorded, Unix microseconds
	marks []mark
}

func (s *segment) next() store.Position { return s.head.First + store.Position(s.count) }

var _ store.Journal = (*Journal)(nil)

// batch is what one fsync will make durable.
type batch struct {
	buf   []byte // records, not sealed yet
	count uint32
	calls int           // of Append
	done  chan struct{} // closed when the fate of the batch is known
	first store.Position
	err   error
}

// Append implements store.Journal. Appending nothing waits for nothing and returns the last durable position.
func (j *Journal) Append(ctx context.Context, events ...kangma.Event) (store.Position, error) {
	if err := ctx.Err(); err != nil {
		return 0, errGiveUp.Because(err)
	}
	size, err := check(events)
	if err != nil {
		return 0, err
	}
	b, last, pos, err := j.enqueue(events, size)
	if err != nil || b == nil {
		return pos, err
	}
	if ctx.Done() == nil { // nobody can give up
		<-b.done
	} else {
		select {
		case <-b.done:
		case <-ctx.Done():
			return 0, errGiveUp.Because(ctx.Err())
		}
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.first + store.Position(last), nil
}

// check refuses what cannot be written, before anything of it is.
func check(events []kangma.Event) (size int, err error) {
	for i := range events {
		switch e := &events[i]; {
		case e.ID.IsZero():
			return 0, kangma.E(kangma.Invalid, "event_id", "an event needs an id")
		case kindByte(e.Kind) == 0:
			return 0, kangma.E(kangma.Invalid, "event_kind", "an event is of a known kind")
		case len(e.Data) > MaxData:
			return 0, kangma.E(kangma.TooLarge, "event_data", "the data of an event is over its bound")
		default:
			size += prefixSize + minBody + 16 + len(e.Data)
		}
	}
	return size, nil
}

// enqueue adds the events to the batch being filled; last is the number of the last of them in it.
func (j *Journal) enqueue(events []kangma.Event, size int) (b *batch, last uint32, pos store.Position, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return nil, 0, 0, errClosed
	case j.readOnly:
		return nil, 0, 0, errReadOnly
	case len(events) == 0:
		return nil, 0, j.durable, nil
	case j.queued > 0 && j.queued+size > j.opt.MaxPendingBytes:
		j.stats.Refused++
		return nil, 0, 0, errBusy
	}
	if j.pending == nil {
		j.pending = &batch{buf: j.spareBuf, done: make(chan struct{})}
		j.spareBuf = nil
	}
	b = j.pending
	before := len(b.buf)
	for i := range events {
		b.buf = appendRecord(b.buf, events[i])
	}
	b.count += uint32(len(events))
	b.calls++
	j.queued += len(b.buf) - before
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return b, b.count - 1, 0, nil
}

// Last gives the position of the last durable entry; 0 when there is none.
func (j *Journal) Last() store.Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable
}

// First gives the position of the oldest entry that is kept, or the next one when there is none.
func (j *Journal) First() store.Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first()
}

// ID names this journal for ever; a restored copy has the same.
func (j *Journal) ID() [16]byte { return j.id }

// Close waits for the batch being written, refuses later ones and gives the lock back.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	if j.lock == nil {
		return nil
	}
	close(j.quit)
	j.done.Wait()
	var cut error
	if j.w.seg != nil && j.w.size > j.w.seg.end {
		cut = j.w.cut()
	}
	return errors.Join(cut, j.saveCheckpoint(true), j.release())
}

// background runs until Close: it writes checkpoints and applies retention.
func (j *Journal) background() {
	defer j.done.Done()
	tick := time.NewTicker(j.opt.CheckpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-j.quit:
			return
		case <-tick.C:
			if err := errors.Join(j.saveCheckpoint(false), j.Retain(), j.reloadBallast()); err != nil {
				j.note(err)
			}
		}
	}
}
