package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/snapshot"
	"github.com/kangma/kangma/store/wire"
)

// rebuildCmd makes the state again from a copy of it, if there is one, and the journals.
type rebuildCmd struct {
	Journals   []string `help:"Journals of the other nodes (stopped, or copies), each NODE=FOLDER; this node's own is always applied. Without a copy to begin with FOLDER will do."`
	From       string   `help:"Begin with this copy of the state (kangma export), e.g. one made from other stores; default: the newest of the data folder's snapshots." type:"existingfile"`
	NoSnapshot bool     `help:"Begin with nothing and apply the journals from their first entries."`
	Passages   bool     `help:"Put the passages of the --from copy into the warehouse too."`
}

func (c *rebuildCmd) Run(w *world) (err error) {
	switch {
	case c.From != "" && c.NoSnapshot:
		return kangma.E(kangma.Invalid, "flags", "--from and --no-snapshot exclude each other")
	case c.From == "" && c.Passages:
		return kangma.E(kangma.Invalid, "flags", "--passages needs --from")
	}
	if err := errors.Join(w.haveKeys(), w.refuseUnfinished()); err != nil {
		return err
	}
	ctx, done := context.WithCancel(w.ctx)
	defer done()
	tuneMemory(ctx)
	s := &stack{}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.openKeys(w.cli); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(w.Data, rebuilding)
	if err != nil {
		return err
	}
	s.onClose(func() error { return os.RemoveAll(dir) })
	made := filepath.Join(dir, "state.db")
	if err := c.make(w, s, made); err != nil {
		return err
	}
	if len(w.Redis) == 0 {
		return c.swap(w, made)
	}
	return c.intoRedis(w, s, made)
}

// make fills a new state file: from the copy to begin with, then from all journals.
func (c *rebuildCmd) make(w *world, s *stack, path string) (err error) {
	db, err := embedded.Open(path, embedded.Options{Bulk: true, SkipCheck: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	marks, err := c.open(w, s, db, filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := refuseOlderJournal(marks[w.Node], s.journal); err != nil {
		return err
	}
	own := &tape{journal: s.journal, node: w.Node, at: marks[w.Node]}
	var others []*tape
	defer func() { err = errors.Join(err, closeTapes(others)) }()
	for _, text := range c.Journals {
		t, err := openTape(text, marks)
		if err != nil {
			return err
		}
		others = append(others, t)
	}
	tapes := append([]*tape{own}, others...)
	applier := registry.NewApplier(db.Dossiers(), db.Records())
	if err := play(w, tapes, applier.Apply); err != nil {
		return err
	}
	for _, t := range tapes {
		if t.node != "" && t.at > 0 {
			if err := db.Dossiers().Update(w.ctx, store.Mark{Node: t.node, Applied: t.at}); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens this node's journal, whose lock keeps a running server from being robbed of its state, while the copy to begin with is put in.
// keep is the folder of this rebuild.
func (c *rebuildCmd) open(w *world, s *stack, db *embedded.DB, keep string) (marks map[string]store.Position, err error) {
	g, ctx := errgroup.WithContext(w.ctx)
	if c.Passages {
		g.SetLimit(1) // one after the other: nobody touches a running server's warehouse
	}
	beside := *w
	beside.ctx = ctx
	var j *journal.Journal
	g.Go(func() (err error) {
		if j, err = journal.Open(filepath.Join(w.Data, "journal"), journal.Options{Now: time.Now, Logger: discard}); err != nil {
			return err
		}
		return clearRebuilds(w.Data, keep)
	})
	g.Go(func() (err error) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if marks, err = c.begin(&beside, s, db); err == nil {
			err = db.Filled(ctx)
		}
		return err
	})
	err = g.Wait()
	if j != nil {
		s.journal = j
		s.onClose(j.Close)
	}
	return marks, err
}

// begin puts the copy in that is to begin with, and gives its marks.
func (c *rebuildCmd) begin(w *world, s *stack, db *embedded.DB) (map[string]store.Position, error) {
	key, err := s.copyKey()
	if err != nil {
		return nil, err
	}
	t := snapshot.Target{State: db.Loader()}
	if c.From != "" {
		f, size, err := openCopy(c.From)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return c.beginFrom(w, s, f, size, key, t)
	}
	folder := w.snapshots(key)
	newest, err := folder.Newest(w.ctx)
	if c.NoSnapshot || errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, size, end, err := folder.Open(newest)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.beginFrom(w, s, r, size, key, t)
}

func (c *rebuildCmd) beginFrom(w *world, s *stack, r io.Reader, size int64, key snapshot.Key, t snapshot.Target) (map[string]store.Position, error) {
	var in *filling
	if c.Passages {
		if err := s.openWarehouse(w.ctx, w.cli, quietUnlessWrong(w.err)); err != nil {
			return nil, err
		}
		in = newFilling(s.warehouse)
		t.Rows = in.rows
	}
	h, _, err := readCopy(w, r, size, key, t, "装载 loading")
	if err != nil {
		return nil, err
	}
	if in != nil {
		if err := in.end(w.ctx, h.Loaded); err != nil {
			return nil, err
		}
	}
	if !w.JSON {
		fmt.Fprintf(w.out, "begun with the state of %s\n", h.Created.Format(time.RFC3339))
	}
	return h.Marks, nil
}

// swap puts the new state file in the place of the old one, which stays beside it. A crash in between leaves no state file: the next start
// applies the journal from its beginning or, if that is gone, says so; then rebuild again.
func (c *rebuildCmd) swap(w *world, made string) error {
	aside := ".before-" + time.Now().UTC().Format("20060102T150405Z")
	files, err := filepath.Glob(filepath.Join(w.Data, "state.db*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.Contains(f, ".before-") {
			continue
		}
		if err := os.Rename(f, f+aside); err != nil {
			return err
		}
	}
	if err := os.Rename(made, filepath.Join(w.Data, "state.db")); err != nil {
		return err
	}
	if err := syncDir(w.Data); err != nil {
		return err
	}
	return c.readBack(w, aside)
}

// readBack looks through the new file and tells the hash of what is in it, both from the disk and side by side.
func (c *rebuildCmd) readBack(w *world, aside string) error {
	db, err := embedded.Open(filepath.Join(w.Data, "state.db"), embedded.Options{Relaxed: true, SkipCheck: true, Cache: pageCache(memoryLimit())})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(w.ctx)
	g.Go(func() error { return db.Check(ctx) })
	d, err := hashOf(w, db.Dossiers(), db.Records(), true)
	if err := errors.Join(err, g.Wait(), db.Close()); err != nil {
		return err
	}
	if !w.JSON {
		fmt.Fprintf(w.out, "rebuilt; the old files are beside, %s\n", aside)
	}
	return sayDigest(w, d)
}

// intoRedis puts the whole new state into Redis, which answers nobody before it is there.
func (c *rebuildCmd) intoRedis(w *world, s *stack, made string) error {
	db, err := embedded.Open(made, embedded.Options{Relaxed: true, SkipCheck: true})
	if err != nil {
		return err
	}
	err = s.openEmpty(w)
	if err == nil {
		err = s.redis.Rebuild(w.ctx, func(ctx context.Context, l *redis.Loader) error { return loadAll(ctx, db, l, w) })
	}
	return errors.Join(err, db.Close())
}

// loadsAtOnce is how many partitions are on their way into Redis, whose one thread is what takes longest.
const loadsAtOnce = 4

// loadAll puts every dossier and every record in.
func loadAll(ctx context.Context, db *embedded.DB, l *redis.Loader, w *world) error {
	var people, done atomic.Int64
	bar := progress(w.err, store.Partitions, "装载 loading")
	g, loading := errgroup.WithContext(ctx)
	g.SetLimit(loadsAtOnce)
	for p := range store.Partitions {
		g.Go(func() error {
			n, err := loadPartition(loading, db.Dossiers().(store.PackedScanner), p, l)
			people.Add(int64(n))
			bar.Set(done.Add(1))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	bar.Finish()
	records, err := loadRecords(ctx, db.Records().(store.PackedDumper), l)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "rebuilt: %d people, %d records\n", people.Load(), records)
	return err
}

// loadRecords puts every record in as it is stored.
func loadRecords(ctx context.Context, from store.PackedDumper, l *redis.Loader) (n int, err error) {
	g, loading := errgroup.WithContext(ctx)
	g.SetLimit(loadsAtOnce)
	err = from.DumpPacked(loading, func(page []store.PackedRecord) error {
		n += len(page)
		g.Go(func() error {
			records, data := make([]store.Record, len(page)), make([][]byte, len(page))
			for i, p := range page {
				r, err := wire.DecodeRecord(p.Data)
				if err != nil {
					return err
				}
				records[i], data[i] = r, p.Data
			}
			return l.PackedRecords(loading, records, data)
		})
		return loading.Err()
	})
	return n, cmp.Or(g.Wait(), err)
}

// loadPartition puts the people of one partition in as they are stored.
func loadPartition(ctx context.Context, from store.PackedScanner, p int, l *redis.Loader) (people int, err error) {
	for after := (kangma.PersonID{}); ; {
		page, err := from.ScanPacked(ctx, p, after, 1000)
		if err != nil || len(page) == 0 {
			return people, err
		}
		indexes := make([][]kangma.BlindIndex, len(page))
		for i, x := range page {
			if indexes[i], err = indexesOf(x.Data); err != nil {
				return people, err
			}
		}
		if err := l.Packed(ctx, page, indexes); err != nil {
			return people, err
		}
		people, after = people+len(page), page[len(page)-1].Person
	}
}

// indexesOf reads the blind indexes of a stored dossier.
func indexesOf(raw []byte) ([]kangma.BlindIndex, error) {
	if _, found, ok := wire.PackedHead(raw); ok {
		return found, nil
	}
	d, err := wire.DecodeDossier(raw)
	return d.Sealed.Indexes, err
}
