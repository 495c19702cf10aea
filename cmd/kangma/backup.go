package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/snapshot"
)

// backupCmd copies one node: its journal, and the state and the passages, which nodes may share. It may run beside the server.
type backupCmd struct {
	Dest       string `arg:"" help:"Folder to make; it must be empty or not there." type:"path"`
	NoPassages bool   `help:"Leave the passages out."`
	NoState    bool   `help:"The journal only: for the other nodes of an installation whose state and passages one node backs up."`
}

// manifest says what a backup holds. It is written last: a folder without one is no backup.
type manifest struct {
	Format  int               `json:"format"` // 1
	Node    string            `json:"node"`
	Created time.Time         `json:"created"`
	Program string            `json:"program"`
	Journal string            `json:"journal"` // its id
	First   store.Position    `json:"first"`
	Last    store.Position    `json:"last"`
	Head    string            `json:"head"`            // chain of the last entry
	State   *snapshot.Summary `json:"state,omitempty"` // nil: the journal only
	Files   map[string]string `json:"files"`           // hexadecimal SHA-256 of each
}

const (
	manifestName = "backup.json"
	copyName     = "state.kms"
)

func (c *backupCmd) Run(w *world) error {
	if names, err := os.ReadDir(c.Dest); err == nil && len(names) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kangma.E(kangma.Conflict, "not_empty", c.Dest+" is not an empty folder").Because(err)
	}
	if _, err := os.Stat(filepath.Join(w.Data, "journal")); err != nil {
		return kangma.E(kangma.NotFound, "no_journal", "there is no journal in "+w.Data).Because(err)
	}
	s := &stack{}
	err := s.openForCopy(w, !c.NoPassages && !c.NoState)
	if err == nil {
		err = c.backup(w, s)
	}
	return errors.Join(err, s.Close())
}

func (c *backupCmd) backup(w *world, s *stack) error {
	if err := os.MkdirAll(c.Dest, 0o700); err != nil {
		return err
	}
	m := manifest{Format: 1, Node: w.Node, Created: time.Now().UTC(), Program: version}
	// The state first, the journal after it: so the journal has everything that the state has and what came since.
	if !c.NoState {
		_, sum, err := s.copyTo(w, filepath.Join(c.Dest, copyName), !c.NoPassages)
		if err != nil {
			return err
		}
		m.State = &sum
	}
	if err := copyJournal(w.ctx, filepath.Join(w.Data, "journal"), filepath.Join(c.Dest, "journal")); err != nil {
		return err
	}
	r, err := journal.Verify(filepath.Join(c.Dest, "journal"), journal.Options{Logger: discard})
	if err != nil {
		return err
	}
	m.Journal, m.First, m.Last, m.Head = r.Journal, r.First, r.Last, r.Head
	if m.Files, err = hashFiles(w, c.Dest); err != nil {
		return err
	}
	if err := writeManifest(c.Dest, m); err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(m)
	}
	people, passages := "without state", ""
	if m.State != nil {
		people, passages = fmt.Sprintf("%d people, %d records", m.State.People, m.State.Records), fmt.Sprintf(", %d passages", m.State.Rows)
	}
	_, err = fmt.Fprintf(w.out, "backed up: %s%s, journal entries %d to %d\n", people, passages, m.First, m.Last)
	return err
}

var discard = slog.New(slog.DiscardHandler)

func quietUnlessWrong(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError}))
}

// copyJournal copies the journal, also from under a running node, whose retention may take segments away meanwhile.
func copyJournal(ctx context.Context, from, to string) error {
	for try := 0; ; try++ {
		j, err := journal.Open(from, journal.Options{Now: time.Now, ReadOnly: true, Logger: discard})
		if err != nil {
			return err
		}
		if n := len(j.Stats().Damage); n > 0 {
			return errors.Join(kangma.E(kangma.Conflict, "journal_damaged", fmt.Sprintf("the journal is damaged in %d places: repair it first (kangma repair)", n)), j.Close())
		}
		_, err = j.Backup(ctx, to)
		err = errors.Join(err, j.Close())
		if err == nil || try == 3 || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
}

// hashFiles gives the SHA-256 of every file of a backup but the manifest.
func hashFiles(w *world, dir string) (map[string]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != manifestName {
			name, relErr := filepath.Rel(dir, path)
			names, err = append(names, filepath.ToSlash(name)), relErr
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	bar := progress(w.err, len(names), "校验 checking")
	defer bar.Finish()
	out := map[string]string{}
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			return nil, err
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		out[name] = hex.EncodeToString(h.Sum(nil))
		bar.Add(1)
	}
	return out, nil
}

func writeManifest(dir string, m manifest) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	part := filepath.Join(dir, manifestName+".part")
	if err := writeDurably(part, func(out io.Writer) error { _, err := out.Write(append(raw, '\n')); return err }); err != nil {
		return err
	}
	if err := os.Rename(part, filepath.Join(dir, manifestName)); err != nil {
		return err
	}
	return syncDir(dir)
}
