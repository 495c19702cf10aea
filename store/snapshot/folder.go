package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

// Folder keeps the last copies of a state, as files named by a rising number. Nodes that share their state may share a
// folder; one of them at a time should add to it.
type Folder struct {
	Dir  string
	FS   journal.FS // nil: the real disk
	Key  Key
	Keep int // copies that stay; 0: 2. While there are fewer, nothing of a journal is released
}

// Entry is one copy in a folder.
type Entry struct {
	Name string
	Head Head
}

const (
	suffix  = ".kms"
	partial = ".part"
)

func (f Folder) fs() journal.FS {
	if f.FS == nil {
		return journal.OS{}
	}
	return f.FS
}

func (f Folder) keep() int {
	if f.Keep <= 0 {
		return 2
	}
	return f.Keep
}

// number reads the number of a copy's name.
func number(name string) (n uint64, ok bool) {
	digits, _, found := strings.Cut(strings.TrimSuffix(name, suffix), "-")
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, found && err == nil && strings.HasSuffix(name, suffix)
}

// names gives the names of all copies, newest first.
func (f Folder) names() ([]string, error) {
	all, err := f.fs().List(f.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", f.Dir, err)
	}
	all = slices.DeleteFunc(all, func(name string) bool { _, ok := number(name); return !ok })
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(b, a) })
	return all, nil
}

// List gives the copies whose head can be read, newest first. What cannot be read is left out.
func (f Folder) List() ([]Entry, error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, name := range names {
		r, end, err := f.open(name)
		if err != nil {
			continue
		}
		h, err := ReadHead(r, f.Key)
		if end(); err == nil {
			out = append(out, Entry{name, h})
		}
	}
	return out, nil
}

func (f Folder) open(name string) (r *io.SectionReader, end func() error, err error) {
	file, err := f.fs().OpenFile(filepath.Join(f.Dir, name), os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", name, err)
	}
	size, err := file.Size()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("size of %s: %w", name, err), file.Close())
	}
	return io.NewSectionReader(file, 0, size), file.Close, nil
}

// Open opens a copy for Read; size is that of the file.
func (f Folder) Open(e Entry) (r io.Reader, size int64, end func() error, err error) {
	s, end, err := f.open(e.Name)
	if err != nil {
		return nil, 0, nil, err
	}
	return s, s.Size(), end, nil
}

// Newest gives the newest copy that is whole from end to end. kangma.NotFound: there is none.
func (f Folder) Newest(ctx context.Context) (Entry, error) {
	names, err := f.names()
	if err != nil {
		return Entry{}, err
	}
	bad := kangma.E(kangma.NotFound, "snapshot", "there is no snapshot here")
	for _, name := range names {
		e, err := f.verify(ctx, name, nil)
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return Entry{}, ctx.Err()
		}
		bad = kangma.E(kangma.NotFound, "snapshot", "no snapshot here is whole").Because(err)
	}
	return Entry{}, bad
}

func (f Folder) verify(ctx context.Context, name string, yield func(context.Context) error) (Entry, error) {
	file, end, err := f.open(name)
	if err != nil {
		return Entry{}, err
	}
	defer end()
	h, _, err := Verify(ctx, yielding{ctx, file, yield}, f.Key)
	return Entry{name, h}, err
}

// Released gives up to where the journal of a node is no longer needed to make the state again: everything up to there is in each of
// the copies that are kept.
func (f Folder) Released(node string) (store.Position, error) {
	all, err := f.List()
	if err != nil || len(all) < f.keep() {
		return 0, err
	}
	low := all[0].Head.Marks[node]
	for _, e := range all[:f.keep()] {
		low = min(low, e.Head.Marks[node])
	}
	return low, nil
}

// Add writes a new copy, reads it back from the disk, and only then forgets those that are no longer kept. A power cut at
// any moment leaves the older copies whole and either no new one or a whole one.
func (f Folder) Add(ctx context.Context, head Head, src Source, o Options) (Entry, Summary, error) {
	fs := f.fs()
	if err := fs.MkdirAll(f.Dir, 0o700); err != nil {
		return Entry{}, Summary{}, fmt.Errorf("make %s: %w", f.Dir, err)
	}
	names, err := f.names()
	if err != nil {
		return Entry{}, Summary{}, err
	}
	next := uint64(1)
	if len(names) > 0 {
		last, _ := number(names[0])
		next = last + 1
	}
	by := sha256.Sum256([]byte(head.Node)) // two nodes that add at once must not write one file
	name := fmt.Sprintf("%016d-%x%s", next, by[:4], suffix)
	part := filepath.Join(f.Dir, fmt.Sprintf("%x%s", by[:4], partial)) // what a crash leaves is written over
	summary, err := f.write(ctx, part, head, src, o)
	if err != nil {
		return Entry{}, Summary{}, errors.Join(err, fs.Remove(part))
	}
	if err := fs.Rename(part, filepath.Join(f.Dir, name)); err != nil {
		return Entry{}, Summary{}, fmt.Errorf("rename %s: %w", part, err)
	}
	if err := fs.SyncDir(f.Dir); err != nil {
		return Entry{}, Summary{}, fmt.Errorf("sync %s: %w", f.Dir, err)
	}
	e, err := f.verify(ctx, name, o.Yield)
	if err != nil {
		return Entry{}, Summary{}, fmt.Errorf("read %s back: %w", name, err)
	}
	return e, summary, f.prune()
}

func (f Folder) write(ctx context.Context, part string, head Head, src Source, o Options) (s Summary, err error) {
	file, err := f.fs().OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return s, fmt.Errorf("create %s: %w", part, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, s, err = Write(ctx, &syncing{io.NewOffsetWriter(file, 0), file.Sync, 0}, f.Key, head, src, o); err != nil {
		return s, err
	}
	return s, file.Sync()
}

// prune removes what is older than the copies that are kept.
func (f Folder) prune() error {
	all, err := f.List()
	if err != nil || len(all) <= f.keep() {
		return err
	}
	oldest, _ := number(all[f.keep()-1].Name)
	names, err := f.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if n, _ := number(name); n < oldest {
			if err := f.fs().Remove(filepath.Join(f.Dir, name)); err != nil {
				return fmt.Errorf("remove %s: %w", name, err)
			}
		}
	}
	return f.fs().SyncDir(f.Dir)
}
