package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/ship"
)

// rebuildCmd makes the state again from the journals.
type rebuildCmd struct {
	Journals []string `help:"Journal folders of the other nodes (stopped, or copies); this node's own is always applied." type:"existingdir"`
}

func (c *rebuildCmd) Run(w *world) error {
	if len(w.Redis) == 0 {
		return c.embedded(w)
	}
	return c.redis(w)
}

// embedded puts the state file aside and lets the next start apply the journal from its beginning.
func (c *rebuildCmd) embedded(w *world) error {
	aside := time.Now().UTC().Format("20060102T150405Z")
	files, err := filepath.Glob(filepath.Join(w.Data, "state.db*"))
	if err != nil {
		return err
	}
	lock, err := journal.Open(filepath.Join(w.Data, "journal"), journal.Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil { // the journal's lock keeps a running server from being robbed of its state
		return err
	}
	last := lock.Stats().Last
	if err := lock.Close(); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Rename(f, f+".before-"+aside); err != nil {
			return err
		}
	}
	return withStack(w, 0, func(s *stack) error {
		_, err := fmt.Fprintf(w.out, "rebuilt from %d journal entries; the old files are beside, .before-%s\n", last, aside)
		return err
	})
}

// redis fills Redis again: the journals are applied to a state of their own first, which is then put in as a whole.
func (c *rebuildCmd) redis(w *world) error {
	log := slog.New(slog.NewTextHandler(w.err, nil))
	s := &stack{}
	if err := s.openKeys(w.cli); err != nil {
		return err
	}
	if err := s.openState(w.ctx, w.cli, log); err != nil {
		return errors.Join(err, s.Close())
	}
	dir, err := os.MkdirTemp(w.Data, "rebuild-")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer os.RemoveAll(dir)
	err = s.redis.Rebuild(w.ctx, func(ctx context.Context, l *redis.Loader) error {
		db, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{Relaxed: true, SkipCheck: true})
		if err != nil {
			return err
		}
		defer db.Close()
		applier := registry.NewApplier(db.Dossiers(), db.Records())
		for _, folder := range append([]string{filepath.Join(w.Data, "journal")}, c.Journals...) {
			if err := replayInto(ctx, folder, applier, w); err != nil {
				return fmt.Errorf("%s: %w", folder, err)
			}
		}
		return loadAll(ctx, db, applier.Kinds(), l, w)
	})
	return errors.Join(err, s.Close())
}

func replayInto(ctx context.Context, folder string, applier *registry.Applier, w *world) error {
	j, err := journal.Open(folder, journal.Options{Now: time.Now, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	bar := progress(w.err, int(j.Stats().Last), "回放 replaying")
	_, err = ship.Replay(ctx, j, store.Mark{}, applier.Apply, func(m store.Mark) { bar.Set(int64(m.Applied)) })
	bar.Finish()
	return errors.Join(err, j.Close())
}

// loadAll puts every dossier and every record of the kinds in.
func loadAll(ctx context.Context, db *embedded.DB, kinds []string, l *redis.Loader, w *world) error {
	people := 0
	bar := progress(w.err, store.Partitions, "装载 loading")
	for p := range store.Partitions {
		var after kangma.PersonID
		for {
			page, err := db.Dossiers().Scan(ctx, p, after, 1000)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			if err := l.Dossiers(ctx, page...); err != nil {
				return err
			}
			people, after = people+len(page), page[len(page)-1].Person
		}
		bar.Add(1)
	}
	bar.Finish()
	records := 0
	for _, kind := range kinds {
		for after := ""; ; {
			page, next, err := db.Records().List(ctx, store.RecordQuery{Kind: kind, After: after, Limit: 500})
			if err != nil {
				return err
			}
			if err := l.Records(ctx, page...); err != nil {
				return err
			}
			records += len(page)
			if after = next; next == "" {
				break
			}
		}
	}
	_, err := fmt.Fprintf(w.out, "rebuilt: %d people, %d records\n", people, records)
	return err
}
