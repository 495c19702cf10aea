package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Open opens the journal in dir, making it if there is none, and checks every record of it. A tail that was being
// written when the node died is cut off. If something that was durable is damaged or missing, Open still succeeds, but
// the journal is read-only, the alarm is raised and Damage says what is wrong: see Repair. kangma.Conflict: another
// process has it open. kangma.NotFound: opened read-only and not there.
func Open(dir string, opt Options) (*Journal, error) {
	j := &Journal{dir: dir, opt: opt.withDefaults(), wake: make(chan struct{}, 1), quit: make(chan struct{})}
	j.readOnly = opt.ReadOnly
	if err := j.open(); err != nil {
		return nil, errors.Join(err, j.release())
	}
	if len(j.damage) > 0 {
		j.readOnly = true
		j.alarm("damage", fmt.Sprintf("the journal is damaged in %d places and read-only", len(j.damage)))
	}
	if j.lock != nil {
		if err := j.reloadBallast(); err != nil {
			j.note(err)
		}
		j.done.Add(2)
		go j.commits()
		go j.background()
	}
	return j, nil
}

// release closes what Open holds on to.
func (j *Journal) release() error {
	var errs []error
	for _, c := range []io.Closer{j.w.file, j.ckptFile, j.lock} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

func (j *Journal) open() error {
	if !j.opt.ReadOnly {
		if err := j.takeDir(); err != nil {
			return err
		}
	}
	scans, err := j.load()
	if err != nil {
		return err
	}
	j.join(scans)
	if j.opt.ReadOnly || len(j.damage) > 0 {
		return nil
	}
	return j.ready(scans)
}

// load reads the checkpoint and walks the segments.
func (j *Journal) load() ([]named, error) {
	// The checkpoint first: beside a running node the segments may then be newer than it, never older.
	var found, ok bool
	var err error
	if j.ckpt, found, ok, err = readCheckpoint(j.opt.FS, j.dir); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	names, err := listSegments(j.opt.FS, j.dir)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, kangma.E(kangma.NotFound, "journal_absent", "there is no journal here").Because(err)
		}
		return nil, fmt.Errorf("list %s: %w", j.dir, err)
	}
	switch {
	case !found && len(names) == 0 && j.opt.ReadOnly:
		return nil, kangma.E(kangma.NotFound, "journal_absent", "there is no journal here")
	case !found && len(names) == 0:
		if err := j.create(); err != nil {
			return nil, err
		}
		ok = true
	case !ok: // nothing proves that the tail is whole
		j.damage = append(j.damage, Damage{Segment: checkpointName, Reason: "checkpoint"})
	}
	j.id, j.released, j.oldest = j.ckpt.Journal, j.ckpt.Released, max(j.ckpt.Oldest, 1)
	if !j.opt.ReadOnly && ok {
		// A killed process may have left a checkpoint in memory only; what is removed on its word must not come first.
		if err := j.openCheckpoint(); err != nil {
			return nil, err
		}
	}
	scans, err := scanAll(j.opt.FS, j.dir, names, j.ckpt.Durable)
	if err != nil {
		return nil, err
	}
	if scans, err = j.dropLeftovers(scans); err != nil {
		return nil, err
	}
	if found && !ok || !found && len(names) > 0 {
		j.guess(scans)
	}
	return scans, nil
}

// takeDir makes the directory durable and takes its lock.
func (j *Journal) takeDir() error {
	fs := j.opt.FS
	if err := fs.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", j.dir, err)
	}
	if err := fs.SyncDir(filepath.Dir(j.dir)); err != nil {
		return fmt.Errorf("sync %s: %w", filepath.Dir(j.dir), err)
	}
	lock, err := fs.Lock(filepath.Join(j.dir, "lock"))
	if errors.Is(err, ErrLocked) {
		return errInUse.Because(err)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", j.dir, err)
	}
	j.lock = lock
	return nil
}

func (j *Journal) create() error {
	rand.Read(j.ckpt.Journal[:])
	j.ckpt.Oldest = 1
	if err := createCheckpoint(j.opt.FS, j.dir, j.ckpt); err != nil {
		return fmt.Errorf("create checkpoint: %w", err)
	}
	return nil
}

func (j *Journal) openCheckpoint() (err error) {
	if j.ckptFile, err = j.opt.FS.OpenFile(filepath.Join(j.dir, checkpointName), os.O_RDWR, 0o600); err != nil {
		return fmt.Errorf("open checkpoint: %w", err)
	}
	if err := j.ckptFile.Sync(); err != nil {
		return fmt.Errorf("sync checkpoint: %w", err)
	}
	return nil
}

// listSegments gives the names of the segments in dir in order of position.
func listSegments(fs FS, dir string) ([]string, error) {
	all, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(all, func(n string) bool { _, _, ok := parseSegmentName(n); return !ok })
	slices.Sort(names)
	return names, nil
}

// named is what was found in one file.
type named struct {
	name    string
	durable store.Position // of the records it should hold, the last one that was promised to somebody
	last    bool
	scan
}

// scanAll walks all segments, as many at a time as there are processors.
func scanAll(fs FS, dir string, names []string, floor store.Position) ([]named, error) {
	out := make([]named, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		durable, last := floor, i == len(names)-1
		if !last {
			first, _, _ := parseSegmentName(names[i+1])
			durable = first - 1
		}
		g.Go(func() (err error) {
			out[i].name, out[i].durable, out[i].last = name, durable, last
			out[i].scan, err = scanFile(fs, dir, out[i], nil)
			return err
		})
	}
	return out, g.Wait()
}

// scanFile walks one segment and tells each, if not nil, of every good record.
func scanFile(fs FS, dir string, n named, each func(record)) (scan, error) {
	f, err := fs.OpenFile(filepath.Join(dir, n.name), os.O_RDONLY, 0)
	if err != nil {
		return scan{}, fmt.Errorf("open %s: %w", n.name, err)
	}
	defer f.Close()
	for try := 0; ; try++ {
		size, err := f.Size()
		if err != nil {
			return scan{}, fmt.Errorf("size of %s: %w", n.name, err)
		}
		s := scanner{name: n.name, w: window{f: f, size: size}, durable: n.durable, last: n.last, each: each}
		out, err := s.run()
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, io.ErrUnexpectedEOF) && n.last && each == nil && try < 3: // a running node has just cut off what it wrote ahead
		default:
			return out, fmt.Errorf("read %s: %w", n.name, err)
		}
	}
}

// dropLeftovers forgets files that never held anything acknowledged: segments that were being begun when the node died,
// and segments whose removal by retention was cut short.
func (j *Journal) dropLeftovers(scans []named) ([]named, error) {
	var keep []named
	removed := false
	for i, s := range scans {
		next := s.head.First // where the journal goes on behind s; itself when s is the last
		if i+1 < len(scans) {
			next = scans[i+1].head.First
		}
		unborn := !s.headOK && s.size <= headerSize && next == s.head.First && (i+1 < len(scans) || j.ckpt.Durable < next)
		dying := i+1 < len(scans) && next <= j.oldest
		if !unborn && !dying {
			keep = append(keep, s)
			continue
		}
		if j.opt.ReadOnly {
			continue
		}
		if err := j.opt.FS.Remove(filepath.Join(j.dir, s.name)); err != nil {
			return nil, fmt.Errorf("remove %s: %w", s.name, err)
		}
		removed = true
	}
	if removed {
		if err := j.opt.FS.SyncDir(j.dir); err != nil {
			return nil, fmt.Errorf("sync %s: %w", j.dir, err)
		}
	}
	return keep, nil
}

// guess takes from the segments what the lost checkpoint said.
func (j *Journal) guess(scans []named) {
	for i, s := range scans {
		if i == 0 {
			j.oldest = s.head.First
		}
		if s.headOK {
			j.id = s.head.Journal
			return
		}
	}
}

// join checks that the segments follow each other and gathers what they hold.
func (j *Journal) join(scans []named) {
	next, prev, linked := j.oldest, chain{}, false
	if j.oldest == 1 {
		prev, linked = genesis(j.id), true
	}
	for i, s := range scans {
		if s.head.First > next {
			j.damage = append(j.damage, Damage{Segment: s.name, Reason: "missing", From: next, To: s.head.First - 1})
			linked = false
		}
		if !s.headOK || s.head.Journal != j.id || i > 0 && s.head.First < next || linked && s.head.Prev != prev {
			j.damage = append(j.damage, Damage{Segment: s.name, Reason: "header"})
		}
		j.damage = append(j.damage, s.damage...)
		j.segments = append(j.segments, &segment{name: s.name, head: s.head, count: s.count, end: s.end, last: s.recorded, marks: s.marks})
		next, prev, linked = s.head.First+store.Position(s.count), s.chain, true
		if n := len(s.damage); n > 0 && s.damage[n-1].To >= next {
			next, linked = s.damage[n-1].To+1, false
		}
		j.w.chain, j.w.recorded = s.chain, s.recorded
		r := &j.stats.Recovery
		r.Records += uint64(s.count)
		r.Bytes += s.end
		r.Segments++
		r.Restored += s.restored
		r.Adopted += s.adopted
		r.Lost += s.lost
		if s.torn {
			r.Torn += s.size - s.end
		}
	}
	if len(scans) == 0 {
		j.w.chain = genesis(j.id)
		if j.ckpt.Durable > 0 {
			j.damage = append(j.damage, Damage{Reason: "missing", From: next, To: j.ckpt.Durable})
			next = j.ckpt.Durable + 1
		}
	}
	j.durable, j.head, j.w.next = next-1, j.w.chain, next
}

// ready makes what was found durable and the last segment fit to be written to.
func (j *Journal) ready(scans []named) error {
	if len(scans) > 0 {
		s := j.segments[len(j.segments)-1]
		f, err := j.opt.FS.OpenFile(filepath.Join(j.dir, s.name), os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("open %s: %w", s.name, err)
		}
		j.w.file, j.w.seg = f, s
		j.w.size = s.end
		if scans[len(scans)-1].size > s.end {
			if err := f.Truncate(s.end); err != nil {
				return fmt.Errorf("cut %s: %w", s.name, err)
			}
		}
		// What a killed process wrote may sit in memory only. It is about to be called durable, so make it so.
		if err := f.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", s.name, err)
		}
	}
	if err := j.opt.FS.SyncDir(j.dir); err != nil {
		return fmt.Errorf("sync %s: %w", j.dir, err)
	}
	j.ckptStale = true
	return j.saveCheckpoint(true)
}
