package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/snapshot"
)

// copyKey is what copies of the state are sealed with.
func (s *stack) copyKey() (snapshot.Key, error) {
	secret, err := s.keys.Secret("snapshot")
	return snapshot.Key(secret), err
}

// haveKeys refuses a place without keys, where opening would draw new ones that open nothing.
func (c *cli) haveKeys() error {
	if _, err := os.Stat(filepath.Join(c.keysDir(), "keys.json")); err != nil {
		return kangma.E(kangma.NotFound, "no_keys", "there are no keys in "+c.keysDir()+"; copies hold none: put the folder of the keys there first, or name it with --key-folder").Because(err)
	}
	return nil
}

// openForCopy opens keys, state and, if wanted, the warehouse as they are, beside a running server or not. It makes nothing that is not there.
func (s *stack) openForCopy(w *world, passages bool) error {
	if err := w.haveKeys(); err != nil {
		return err
	}
	for file, needed := range map[string]bool{"state.db": len(w.Redis) == 0, "warehouse.db": passages && len(w.Clickhouse) == 0} {
		if _, err := os.Stat(filepath.Join(w.Data, file)); needed && err != nil {
			return kangma.E(kangma.NotFound, "no_state", "there is no "+file+" in "+w.Data).Because(err)
		}
	}
	log := quietUnlessWrong(w.err)
	if err := s.openKeys(w.cli); err != nil {
		return err
	}
	if err := s.openState(w.ctx, w.cli, log); err != nil {
		return err
	}
	if !passages {
		return nil
	}
	return s.openWarehouse(w.ctx, w.cli, log)
}

// archive gives the warehouse's power to give back what it holds, waiting for its server.
func (s *stack) archive(ctx context.Context) (store.Archive, error) {
	w := s.warehouse
	if lazy, ok := w.(*lazyWarehouse); ok {
		var err error
		if w, err = lazy.get(ctx); err != nil {
			return nil, err
		}
	}
	a, ok := w.(store.Archive)
	if !ok {
		return nil, kangma.E(kangma.Internal, "no_archive", "this warehouse cannot be copied")
	}
	return a, nil
}

// copyTo writes a sealed copy of state and passages to a file that must not be there, whole or not at all.
func (s *stack) copyTo(w *world, path string, passages bool) (h snapshot.Head, sum snapshot.Summary, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return h, sum, kangma.E(kangma.Conflict, "exists", "there is already something at "+path)
	}
	key, err := s.copyKey()
	if err != nil {
		return h, sum, err
	}
	src := snapshot.Source{Dossiers: s.dossiers, Records: s.records}
	if passages {
		if src.Archive, err = s.archive(w.ctx); err != nil {
			return h, sum, err
		}
	}
	bar := progress(w.err, store.Partitions, "抄录 copying")
	defer bar.Finish()
	part := path + ".part"
	err = writeDurably(part, func(out io.Writer) error {
		var err error
		h, sum, err = snapshot.Write(w.ctx, out, key, snapshot.Head{Node: w.Node, Created: time.Now().UTC()}, src,
			snapshot.Options{Progress: func(n int) { bar.Set(int64(n)) }})
		return err
	})
	if err != nil {
		return h, sum, errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, path); err != nil {
		return h, sum, err
	}
	return h, sum, syncDir(filepath.Dir(path))
}

// writeDurably is writeTo with an fsync before it returns.
func writeDurably(path string, fill func(io.Writer) error) error {
	return writeTo(path, func(out io.Writer) error {
		if err := fill(out); err != nil {
			return err
		}
		return out.(*os.File).Sync()
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readCopy puts a copy into a target; the bar shows how far it is.
func readCopy(w *world, r io.Reader, size int64, key snapshot.Key, t snapshot.Target, what string) (snapshot.Head, snapshot.Summary, error) {
	bar := progress(w.err, int(size>>10), what)
	defer bar.Finish()
	t.Progress = func(done int64) { bar.Set(done >> 10) }
	return snapshot.Read(w.ctx, r, key, t)
}

// openCopy opens a copy's file.
func openCopy(path string) (f *os.File, size int64, err error) {
	if f, err = os.Open(path); err != nil {
		return nil, 0, kangma.E(kangma.NotFound, "no_copy", "there is no copy at "+path).Because(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}
