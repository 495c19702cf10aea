package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

const quarantineDir = "quarantine"

// gather asks the sources for the entries of [r.next, to); those nobody has are left zero.
func (r *repairer) gather(to store.Position) ([]store.Entry, error) {
	entries := make([]store.Entry, to-r.next)
	for _, source := range r.sources {
		got, err := source(r.ctx, r.next, to-1)
		if err != nil {
			return nil, fmt.Errorf("source of repair: %w", err)
		}
		for _, e := range got {
			if e.Event.Kind == kangma.EventLost {
				continue // the source gave it up as well
			}
			if e.Position >= r.next && e.Position < to && entries[e.Position-r.next].Position == 0 {
				if _, err := check([]kangma.Event{e.Event}); err != nil {
					return nil, fmt.Errorf("source of repair, position %d: %w", e.Position, err)
				}
				entries[e.Position-r.next] = e
			}
		}
	}
	lost := 0
	for _, e := range entries {
		if e.Position == 0 {
			lost++
		}
	}
	if lost > 0 && !r.giveUp {
		return nil, kangma.E(kangma.Unavailable, "journal_no_source",
			fmt.Sprintf("no source has %d of the entries %d to %d; give another source or give them up", lost, r.next, to-1))
	}
	return entries, nil
}

// forever is the latest Recorded there is.
const forever = int64(1<<63 - 1)

// stretch puts the positions before to back, into the open segment or into new ones, by day. follower is the good record
// behind them in the same segment, link the chain that the next segment begins with; both may be unknown (nil). latest is
// when they were recorded at the latest.
func (r *repairer) stretch(to store.Position, latest int64, follower record, link *chain) error {
	if r.next >= to {
		return nil
	}
	entries, err := r.gather(to)
	if err != nil {
		return err
	}
	before, length := *r, 0
	if r.open {
		length = len(r.rebuilt[len(r.rebuilt)-1].raw)
	}
	// First as they were first written. If the chain closes over them they are proven to be just that.
	if !slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Position == 0 }) {
		r.put(entries, latest, 0)
		if follower != nil && r.chain.next(slices.Clone(follower).body()) == follower.chain() || link != nil && r.chain == *link {
			r.report.Proven += len(entries)
			return nil
		}
		*r = before
		if r.open {
			last := &r.rebuilt[len(r.rebuilt)-1]
			last.raw = last.raw[:length]
		}
	}
	r.put(entries, latest, flagRestored)
	for _, e := range entries {
		if e.Position == 0 {
			r.report.Lost++
		} else {
			r.report.Trusted++
		}
	}
	if link != nil {
		r.adopt(*link)
	}
	return nil
}

func (r *repairer) put(entries []store.Entry, latest int64, flags byte) {
	for _, e := range entries {
		recorded := r.recorded
		if !e.Recorded.IsZero() {
			recorded = min(max(e.Recorded.UnixMicro(), recorded), max(latest, recorded))
		}
		if day := dayOf(recorded); !r.open || day > r.rebuilt[len(r.rebuilt)-1].head.Day {
			r.begin(day)
		}
		h := r.rebuilt[len(r.rebuilt)-1].head
		rec := record(appendRecord(nil, e.Event))
		if e.Position == 0 {
			rec.body()[atKind] = kindLost
		}
		rec.body()[atFlags] |= flags
		seal(rec, r.chain, 0, uint32(r.next-h.First), max(recorded, int64(h.Day)*microsPerDay))
		r.take(rec)
	}
}

// adopt makes the last record written carry the chain that the next segment begins with.
func (r *repairer) adopt(link chain) {
	raw := r.rebuilt[len(r.rebuilt)-1].raw
	off := headerSize
	for {
		size, _ := frame(raw[off:])
		if off+size == len(raw) {
			break
		}
		off += size
	}
	rec := record(raw[off:])
	rec.body()[atFlags] |= flagAdopted
	copy(rec.body()[atChain:], link[:])
	stamp(rec)
	r.chain = link
}

// extend takes from the sources what comes behind the last entry, because without a checkpoint nothing tells where the
// journal ended.
func (r *repairer) extend() error {
	const atOnce = 100_000
	for {
		has := map[store.Position]bool{}
		for _, source := range r.sources {
			got, err := source(r.ctx, r.next, r.next+atOnce-1)
			if err != nil {
				return fmt.Errorf("source of repair: %w", err)
			}
			for _, e := range got {
				has[e.Position] = true
			}
		}
		to := r.next
		for has[to] {
			to++
		}
		if to == r.next {
			return nil
		}
		if err := r.stretch(to, forever, nil, nil); err != nil {
			return err
		}
	}
}

// replace copies the damaged files to quarantine, puts the rebuilt ones in their place, and last writes a checkpoint, so
// that a repair that is cut short is simply done again.
func (r *repairer) replace() error {
	j := r.j
	fs, quarantine := j.opt.FS, filepath.Join(j.dir, quarantineDir)
	if err := fs.MkdirAll(quarantine, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", quarantine, err)
	}
	for _, b := range r.rebuilt {
		name := segmentName(b.head.First, b.head.Day)
		kept, err := setAside(fs, j.dir, quarantine, name)
		if err != nil {
			return err
		}
		if kept != "" {
			r.report.Quarantined = append(r.report.Quarantined, kept)
		}
		if err := writeWhole(fs, j.dir, name, b.raw); err != nil {
			return err
		}
		r.report.Rebuilt = append(r.report.Rebuilt, name)
	}
	if _, err := setAside(fs, j.dir, quarantine, checkpointName); err != nil {
		return err
	}
	c := checkpoint{Seq: j.ckpt.Seq + 1, Journal: j.id, Durable: r.next - 1, Released: min(j.released, r.next-1), Oldest: j.oldest}
	return createCheckpoint(fs, j.dir, c)
}

// setAside copies a file to quarantine under a name that is free; kept is that name, "" when there is no file.
func setAside(fs FS, dir, quarantine, name string) (kept string, err error) {
	f, err := fs.OpenFile(filepath.Join(dir, name), os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return "", fmt.Errorf("size of %s: %w", name, err)
	}
	raw := make([]byte, size)
	if n, err := f.ReadAt(raw, 0); n < len(raw) {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	taken, err := fs.List(quarantine)
	if err != nil {
		return "", fmt.Errorf("list %s: %w", quarantine, err)
	}
	for i := 1; ; i++ {
		if kept = fmt.Sprintf("%s.%d", name, i); !slices.Contains(taken, kept) {
			return kept, writeWhole(fs, quarantine, kept, raw)
		}
	}
}

// writeWhole makes a file with its content whole or not at all.
func writeWhole(fs FS, dir, name string, raw []byte) error {
	tmp := filepath.Join(dir, name+".tmp")
	f, err := fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create %s: %w", tmp, err)
	}
	defer f.Close()
	if _, err := f.WriteAt(raw, 0); err != nil {
		return fmt.Errorf("write %s: %w", tmp, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", tmp, err)
	}
	if err := fs.Rename(tmp, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("rename %s: %w", tmp, err)
	}
	return fs.SyncDir(dir)
}
