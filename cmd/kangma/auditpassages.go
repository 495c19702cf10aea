package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/wire"
)

// auditPassagesCmd compares passage by passage what the journal has, what the warehouse has and, if they are given, what was
// acknowledged to clients.
type auditPassagesCmd struct {
	Acknowledged []string `help:"Files of event ids, one a line, that were acknowledged and must all be there, once (kangma load scan --acknowledged)." type:"existingfile"`
}

// passageAudit is what was found.
type passageAudit struct {
	Acknowledged int    `json:"acknowledged"` // distinct ids in the files
	Lost         int    `json:"lost"`         // of those, neither in the journal nor in the warehouse
	Journal      int    `json:"journal"`      // distinct passages in this node's journal
	Repeated     int    `json:"repeated"`     // written to the journal once more: a client's retry; they count once
	Ghosts       int    `json:"ghosts"`       // in the journal though no client had an answer; -1 without files
	Waiting      int    `json:"waiting"`      // in the journal, behind what the warehouse says it has
	Missing      int    `json:"missing"`      // before that, and not in the warehouse
	Warehouse    int    `json:"warehouse"`    // distinct passages in the warehouse, of all nodes
	Counted      uint64 `json:"counted"`      // passages that the warehouse counts when it is asked; more: some count twice
}

func (a passageAudit) sound() bool {
	return a.Lost == 0 && a.Missing == 0 && a.Counted == uint64(a.Warehouse)
}

// What is known of one event id.
const (
	wasAcknowledged = 1 << iota
	inJournal
	inWarehouse
)

func (c *auditPassagesCmd) Run(w *world) error {
	s := &stack{}
	err := s.openForCopy(w, true)
	var a passageAudit
	if err == nil {
		a, err = c.audit(w, s)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if err := a.say(w); err != nil {
		return err
	}
	if !a.sound() {
		return denied
	}
	return nil
}

func (a passageAudit) say(w *world) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(a)
	}
	_, err := fmt.Fprintf(w.out, "journal: %d passages (%d written more than once), %d not yet in the warehouse, %d missing there\nwarehouse: %d passages, counted %d\n",
		a.Journal, a.Repeated, a.Waiting, a.Missing, a.Warehouse, a.Counted)
	if err == nil && a.Ghosts >= 0 {
		_, err = fmt.Fprintf(w.out, "acknowledged: %d, lost %d; %d more have no acknowledgement\n", a.Acknowledged, a.Lost, a.Ghosts)
	}
	return err
}

func (c *auditPassagesCmd) audit(w *world, s *stack) (a passageAudit, err error) {
	known := map[kangma.EventID]uint8{}
	for _, path := range c.Acknowledged {
		if err := readIDs(path, func(id kangma.EventID) { known[id] |= wasAcknowledged }); err != nil {
			return a, err
		}
	}
	a.Acknowledged = len(known)
	loaded, err := s.warehouse.Loaded(w.ctx, w.Node) // before the journal is read: what is loaded later is more, not less
	if err != nil {
		return a, err
	}
	waiting, err := a.readJournal(w, known, loaded)
	if err != nil {
		return a, err
	}
	if err := a.readWarehouse(w, s, known); err != nil {
		return a, err
	}
	for id, is := range known {
		switch {
		case is&wasAcknowledged != 0 && is&(inJournal|inWarehouse) == 0:
			a.Lost++
		case is == inJournal || is == inJournal|inWarehouse:
			a.Ghosts++
		}
		if is&inJournal != 0 && is&inWarehouse == 0 && !waiting[id] {
			a.Missing++
		}
	}
	if len(c.Acknowledged) == 0 {
		a.Ghosts = -1
	}
	return a, nil
}

// readJournal notes the passages of this node's journal, and gives those that lie behind loaded.
func (a *passageAudit) readJournal(w *world, known map[kangma.EventID]uint8, loaded store.Position) (waiting map[kangma.EventID]bool, err error) {
	j, err := journal.Open(filepath.Join(w.Data, "journal"), journal.Options{Now: time.Now, ReadOnly: true, Logger: discard})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if d := j.Damage(); len(d) > 0 {
		return nil, kangma.E(kangma.Unavailable, "journal_damaged", "the journal is damaged: kangma audit fsck says where, kangma repair mends it")
	}
	waiting = map[kangma.EventID]bool{}
	_, err = ship.Replay(w.ctx, j, store.Mark{Applied: j.First() - 1}, func(_ context.Context, entries []store.Entry) error {
		for _, e := range entries {
			if e.Event.Kind != kangma.EventPassage {
				continue
			}
			if _, err := wire.DecodePassage(e.Event.Data); err != nil {
				return err
			}
			id := e.Event.ID
			if known[id]&inJournal != 0 {
				a.Repeated++
				continue
			}
			known[id] |= inJournal
			a.Journal++
			if e.Position > loaded {
				waiting[id] = true
				a.Waiting++
			}
		}
		return nil
	}, nil)
	return waiting, err
}

// readWarehouse notes every passage of the warehouse, and what it counts when it is asked.
func (a *passageAudit) readWarehouse(w *world, s *stack, known map[kangma.EventID]uint8) error {
	archive, err := s.archive(w.ctx)
	if err != nil {
		return err
	}
	err = archive.All(w.ctx, func(_ string, rows []store.Row) error {
		for _, r := range rows {
			if known[r.Passage.ID]&inWarehouse == 0 {
				known[r.Passage.ID] |= inWarehouse
				a.Warehouse++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := store.Query{Measures: []store.Measure{store.Count}, Since: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)}
	res, err := s.warehouse.Query(w.ctx, all)
	if err != nil {
		return err
	}
	for _, g := range res.Groups {
		a.Counted += g.Values[0]
	}
	return nil
}

// readIDs reads event ids, one a line.
func readIDs(path string, f func(kangma.EventID)) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		id, err := kangma.ParseEventID(text)
		if err != nil {
			return kangma.E(kangma.Invalid, "event_ids", fmt.Sprintf("line %d of %s is no event id", n, path)).Because(err)
		}
		f(id)
	}
	return lines.Err()
}
