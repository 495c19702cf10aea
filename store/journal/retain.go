package journal

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Release implements store.Journal. It never goes back; the disk learns of it with the next checkpoint.
// kangma.Invalid: pos is not written yet.
func (j *Journal) Release(ctx context.Context, pos store.Position) error {
	if err := ctx.Err(); err != nil {
		return errGiveUp.Because(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if pos > j.durable {
		return kangma.E(kangma.Invalid, "release", "a position that is not written yet cannot be released")
	}
	if j.readOnly || j.closed || pos <= j.released {
		return nil
	}
	j.released, j.ckptStale = pos, true
	return nil
}

// Retain removes the segments that are released and older than Options.Retention, oldest first. The background calls it;
// calling it by hand does no harm.
func (j *Journal) Retain() error {
	j.ckptMu.Lock()
	defer j.ckptMu.Unlock()
	for {
		name := j.expired()
		if name == "" {
			return nil
		}
		// First say that it may be gone, then let it go: a start in between must not take it for a loss.
		if err := j.saveLocked(); err != nil {
			return err
		}
		if err := j.opt.FS.Remove(filepath.Join(j.dir, name)); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
		if err := j.opt.FS.SyncDir(j.dir); err != nil {
			return fmt.Errorf("sync %s: %w", j.dir, err)
		}
	}
}

// expired takes the oldest segment off the list if it may go.
func (j *Journal) expired() (name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.readOnly || j.opt.Retention <= 0 || len(j.segments) < 2 {
		return ""
	}
	s := j.segments[0]
	if s.next() > j.released+1 || s.last > j.opt.Now().Add(-j.opt.Retention).UnixMicro() {
		return ""
	}
	j.segments = j.segments[1:]
	j.oldest, j.ckptStale = j.segments[0].head.First, true
	j.stats.Removed++
	return s.name
}

// Checkpoint makes what the journal knows of itself durable now, which the background does every
// Options.CheckpointEvery.
func (j *Journal) Checkpoint() error { return j.saveCheckpoint(false) }

// saveCheckpoint writes the checkpoint if it says something new, or anyway when forced.
func (j *Journal) saveCheckpoint(force bool) error {
	j.ckptMu.Lock()
	defer j.ckptMu.Unlock()
	j.mu.Lock()
	stale := j.ckptStale
	j.mu.Unlock()
	if !stale && !force {
		return nil
	}
	return j.saveLocked()
}

// saveLocked writes the checkpoint; j.ckptMu is held. A read-only journal changes nothing.
func (j *Journal) saveLocked() error {
	j.mu.Lock()
	if j.readOnly {
		j.mu.Unlock()
		return nil
	}
	next := checkpoint{Seq: j.ckpt.Seq + 1, Journal: j.id, Durable: j.durable, Released: j.released, Oldest: j.oldest}
	j.ckptStale = false
	j.mu.Unlock()
	if err := writeCheckpoint(j.ckptFile, next); err != nil {
		j.mu.Lock()
		j.ckptStale = true
		j.mu.Unlock()
		return fmt.Errorf("write checkpoint: %w", err)
	}
	j.ckpt = next
	return nil
}
