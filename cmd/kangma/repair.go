package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
)

// repairCmd puts a damaged journal in order.
type repairCmd struct {
	Backup      []string `help:"Backups (kangma backup) or copies of this node's journal to take what is missing from; asked in turn, before the warehouse." type:"existingdir"`
	NoWarehouse bool     `help:"Do not ask the warehouse, which has the passages."`
	GiveUp      bool     `help:"Mark as lost for ever what nobody has. The state keeps what it has of it."`
}

func (c *repairCmd) Run(w *world) error {
	if err := errors.Join(w.haveKeys(), w.refuseUnfinished()); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(w.Data, "journal")); err != nil {
		return kangma.E(kangma.NotFound, "no_journal", "there is no journal in "+w.Data).Because(err)
	}
	s := &stack{}
	err := c.repair(w, s)
	return errors.Join(err, s.Close())
}

func (c *repairCmd) repair(w *world, s *stack) error {
	sources, err := c.sources(w, s)
	if err != nil {
		return err
	}
	r, err := journal.Repair(w.ctx, filepath.Join(w.Data, "journal"), journal.Options{Now: time.Now, Logger: discard}, c.GiveUp, sources...)
	if err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(r)
	}
	if len(r.Damage) == 0 {
		_, err := fmt.Fprintln(w.out, "nothing is damaged")
		return err
	}
	_, err = fmt.Fprintf(w.out, "repaired %d places: %d entries put back as they were first written (proven), %d on the word of their source (marked), %d lost\n",
		len(r.Damage), r.Proven, r.Trusted, r.Lost)
	for _, name := range r.Quarantined {
		fmt.Fprintln(w.out, "  kept beside, in journal/quarantine:", name)
	}
	return err
}

// sources are who may have what is missing.
func (c *repairCmd) sources(w *world, s *stack) (out []journal.Source, err error) {
	for _, dir := range c.Backup {
		if inside := filepath.Join(dir, "journal"); !missingFile(inside) {
			dir = inside
		}
		source, end, err := journal.FromBackup(dir, journal.Options{Now: time.Now, Logger: discard})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		s.onClose(end)
		out = append(out, source)
	}
	if c.NoWarehouse || len(w.Clickhouse) == 0 && missingFile(filepath.Join(w.Data, "warehouse.db")) {
		return out, nil
	}
	if err := s.openWarehouse(w.ctx, w.cli, quietUnlessWrong(w.err)); err != nil {
		return nil, err
	}
	a, err := s.archive(w.ctx)
	if err != nil {
		return nil, err
	}
	return append(out, ship.FromRows(w.Node, func(ctx context.Context, node string, from, to store.Position) ([]store.Row, error) {
		return a.Rows(ctx, node, from, to)
	})), nil
}

func missingFile(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}
