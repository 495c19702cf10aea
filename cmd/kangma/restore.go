package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/snapshot"
)

// restoreCmd makes a node again from a backup, in the stores that the flags name.
type restoreCmd struct {
	Source      string `arg:"" help:"Folder that kangma backup made." type:"existingdir"`
	JournalOnly bool   `help:"Leave state and passages alone: another node has restored what both share."`
}

// unfinished marks a data folder while a restore is under way. Nothing starts there until a restore has gone through.
const unfinished = "restore-unfinished"

func (c *restoreCmd) Run(w *world) error {
	if err := w.haveKeys(); err != nil {
		return err
	}
	m, err := c.check(w)
	if err != nil {
		return err
	}
	if m.Node != w.Node {
		return kangma.E(kangma.Conflict, "other_node", fmt.Sprintf("this is the backup of the node %q: give --node %s, since its journal goes on under that name", m.Node, m.Node))
	}
	if m.State == nil && !c.JournalOnly {
		return kangma.E(kangma.Conflict, "journal_only", "this backup holds a journal only; give --journal-only, after the node that shares its state is restored")
	}
	if err := c.clear(w); err != nil {
		return err
	}
	if err := c.restore(w, m); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(w.Data, unfinished)); err != nil {
		return err
	}
	if err := syncDir(w.Data); err != nil {
		return err
	}
	return withStack(w, 0, func(s *stack) error { // applies what the journal has beyond the state
		if !w.JSON {
			fmt.Fprintf(w.out, "restored: journal entries %d to %d, backed up at %s\n", m.First, m.Last, m.Created.Format("2006-01-02 15:04:05Z07:00"))
		}
		return s.sayState(w, true)
	})
}

// check reads the manifest and every file, before anything is touched.
func (c *restoreCmd) check(w *world) (m manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(c.Source, manifestName))
	if err != nil {
		return m, kangma.E(kangma.NotFound, "no_backup", "there is no "+manifestName+" in "+c.Source+": it is no backup, or one that was cut short").Because(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Format != 1 {
		return m, kangma.E(kangma.Invalid, "manifest", manifestName+" is not of this program").Because(err)
	}
	files, err := hashFiles(w, c.Source)
	if err != nil {
		return m, err
	}
	for name, sum := range m.Files {
		if files[name] != sum {
			return m, kangma.E(kangma.Conflict, "backup_damaged", name+" is missing or not as it was written; take another backup")
		}
	}
	return m, c.checkKey(w, m)
}

// checkKey refuses a backup of other keys.
func (c *restoreCmd) checkKey(w *world, m manifest) error {
	if m.State == nil {
		return nil
	}
	s := &stack{}
	if err := s.openKeys(w.cli); err != nil {
		return errors.Join(err, s.Close())
	}
	key, err := s.copyKey()
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	f, _, err := openCopy(filepath.Join(c.Source, copyName))
	if err != nil {
		return err
	}
	_, err = snapshot.ReadHead(f, key)
	return errors.Join(err, f.Close())
}

// clear makes sure that nothing is overwritten but what an earlier restore left half done, and marks the folder.
func (c *restoreCmd) clear(w *world) error {
	if err := os.MkdirAll(w.Data, 0o700); err != nil {
		return err
	}
	var found []string
	for _, pattern := range []string{"journal", "state.db*", "warehouse.db*", "snapshots"} {
		names, err := filepath.Glob(filepath.Join(w.Data, pattern))
		if err != nil {
			return err
		}
		found = append(found, names...)
	}
	mark := filepath.Join(w.Data, unfinished)
	_, err := os.Stat(mark)
	if err != nil && len(found) > 0 {
		return kangma.E(kangma.Conflict, "not_empty", "there is a node in "+w.Data+" already; restore into a folder without one")
	}
	for _, name := range found {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	err = writeDurably(mark, func(out io.Writer) error {
		_, err := fmt.Fprintln(out, "A restore from", c.Source, "did not go through. Run it again.")
		return err
	})
	return errors.Join(err, syncDir(w.Data))
}

func (c *restoreCmd) restore(w *world, m manifest) error {
	if err := copyJournal(w.ctx, filepath.Join(c.Source, "journal"), filepath.Join(w.Data, "journal")); err != nil {
		return err
	}
	if err := syncDir(w.Data); err != nil || c.JournalOnly {
		return err
	}
	f, size, err := openCopy(filepath.Join(c.Source, copyName))
	if err != nil {
		return err
	}
	defer f.Close()
	s := &stack{}
	if err = s.openKeys(w.cli); err == nil {
		err = s.fillFrom(w, f, size, m.Last)
	}
	return errors.Join(err, s.Close())
}

// fillFrom fills the state and the warehouse that the flags name, which must be empty, from a copy. last is where this node's
// journal ends.
func (s *stack) fillFrom(w *world, r io.Reader, size int64, last store.Position) error {
	key, err := s.copyKey()
	if err != nil {
		return err
	}
	if err := s.openEmpty(w); err != nil {
		return err
	}
	if err := s.mustBeEmpty(w, last); err != nil {
		return err
	}
	in := newFilling(s.warehouse)
	return s.fillState(w.ctx, func(ctx context.Context, l store.Loader) error {
		h, _, err := readCopy(w, r, size, key, snapshot.Target{State: l, Rows: in.rows}, "恢复 restoring")
		if err != nil {
			return err
		}
		return in.end(ctx, h.Loaded)
	})
}

// openEmpty opens state and warehouse. An empty Redis is not told that it is whole: it answers nobody until it is filled.
func (s *stack) openEmpty(w *world) error {
	log, c := quietUnlessWrong(w.err), *w.cli
	c.RedisNew = false
	if err := s.openState(w.ctx, &c, log); err != nil {
		return err
	}
	return s.openWarehouse(w.ctx, &c, log)
}

// fillState lets f fill the state; Redis answers others only when f is through.
func (s *stack) fillState(ctx context.Context, f func(context.Context, store.Loader) error) error {
	if s.redis != nil {
		return s.redis.Rebuild(ctx, func(ctx context.Context, l *redis.Loader) error { return f(ctx, l) })
	}
	return f(ctx, s.embedded.Loader())
}

// mustBeEmpty refuses stores that hold something a restore would mix with. Redis that lost its data, or was never begun, is empty.
func (s *stack) mustBeEmpty(w *world, last store.Position) error {
	for p := range store.Partitions {
		people, err := s.dossiers.Scan(w.ctx, p, kangma.PersonID{}, 1)
		if s.redis != nil && kangma.CodeOf(err) == "redis_vanished" {
			break
		}
		if err != nil {
			return err
		}
		if len(people) > 0 {
			return kangma.E(kangma.Conflict, "not_empty", "there are people in the state that the flags name; restore into an empty one")
		}
	}
	a, err := s.archive(w.ctx)
	if err != nil {
		return err
	}
	nodes, err := a.Nodes(w.ctx)
	if err == nil && nodes[w.Node] > last { // loading passages again is no harm, being older than what is there is
		err = kangma.E(kangma.Conflict, "not_empty", "the warehouse that the flags name is newer than this backup; restore into an empty one")
	}
	return err
}

// filling puts passages into a warehouse in large batches.
type filling struct {
	w    store.Warehouse
	node string
	page []store.Row
	lost store.Position // given to rows whose place in a journal is not known
}

// unplaced is the node of passages that came from a warehouse which did not know theirs.
const unplaced = "unplaced"

func newFilling(w store.Warehouse) *filling { return &filling{w: w} }

func (f *filling) rows(ctx context.Context, node string, rows []store.Row) error {
	if node == "" {
		node = unplaced
		for i := range rows {
			f.lost++
			rows[i].Position = f.lost
		}
	}
	if node != f.node {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	f.node, f.page = node, append(f.page, rows...)
	if len(f.page) < 50_000 {
		return nil
	}
	return f.flush(ctx)
}

func (f *filling) flush(ctx context.Context) error {
	if len(f.page) == 0 {
		return nil
	}
	slices.SortFunc(f.page, func(a, b store.Row) int { return cmp.Compare(a.Position, b.Position) })
	b := store.Batch{Node: f.node, From: f.page[0].Position - 1, To: f.page[len(f.page)-1].Position, Rows: f.page}
	f.page = nil
	return f.w.Load(ctx, b)
}

// end writes how far the journals are loaded.
func (f *filling) end(ctx context.Context, loaded map[string]store.Position) error {
	err := f.flush(ctx)
	for node, pos := range loaded {
		err = errors.Join(err, f.w.Load(ctx, store.Batch{Node: node, From: pos, To: pos}))
	}
	return err
}

// refuseUnfinished keeps everything away from a data folder where a restore was cut short.
func (c *cli) refuseUnfinished() error {
	if _, err := os.Stat(filepath.Join(c.Data, unfinished)); !errors.Is(err, fs.ErrNotExist) {
		return kangma.E(kangma.Conflict, "restore_unfinished", "a restore into "+c.Data+" did not go through; run it again")
	}
	return nil
}

// refuseOlderJournal keeps a node from going on with a journal that is older than what the state has of it: its next events would be taken
// for ones already applied.
func refuseOlderJournal(applied store.Position, j *journal.Journal) error {
	if last := j.Last(); applied > last {
		return kangma.E(kangma.Conflict, "journal_rolled_back",
			fmt.Sprintf("the state has this node's journal up to entry %d, the journal ends at %d: an older copy was put in its place; restore the newer one, or give the node a new name", applied, last))
	}
	return nil
}
