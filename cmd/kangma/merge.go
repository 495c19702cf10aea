package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
)

// tape is one journal that is played, from behind at on.
type tape struct {
	journal *journal.Journal
	node    string // "": not known
	at      store.Position
	page    []store.Entry
}

const tapePage = 1000

// openTape opens the journal of another node, given as NODE=FOLDER or, where nothing but journals is applied, as FOLDER.
func openTape(text string, marks map[string]store.Position) (*tape, error) {
	node, folder, named := strings.Cut(text, "=")
	if !named {
		node, folder = "", text
	}
	if !named && marks != nil {
		return nil, kangma.E(kangma.Invalid, "journals", "say whose journal it is, NODE=FOLDER: the copy that is begun with has a part of it already")
	}
	if _, err := os.Stat(folder); err != nil {
		return nil, kangma.E(kangma.NotFound, "no_journal", "there is no folder "+folder).Because(err)
	}
	j, err := journal.Open(folder, journal.Options{Now: time.Now, ReadOnly: true, Logger: discard})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	return &tape{journal: j, node: node, at: marks[node]}, nil
}

// fill makes sure that there is something in page, unless the journal has no more.
func (t *tape) fill(ctx context.Context) (err error) {
	if len(t.page) == 0 {
		t.page, err = t.journal.After(ctx, t.at, tapePage)
	}
	if err != nil {
		return fmt.Errorf("journal of %q behind entry %d: %w", t.node, t.at, err)
	}
	return nil
}

// whole refuses a tape whose beginning is gone.
func (t *tape) whole() error {
	if first := t.journal.First(); first > t.at+1 {
		return kangma.E(kangma.Conflict, "journal_gone", fmt.Sprintf("the journal of %q begins at entry %d, and nothing that is given holds what came before: give a copy of the state that does (--from)", t.node, first))
	}
	return nil
}

// play gives the entries of all tapes to apply in the order in which they were recorded: what one node knew of a person may stand in
// another one's journal.
func play(w *world, tapes []*tape, apply ship.Apply) error {
	total, done := 0, 0
	for _, t := range tapes {
		if err := t.whole(); err != nil {
			return err
		}
		total += int(t.journal.Last() - min(t.at, t.journal.Last()))
	}
	bar := progress(w.err, total, "回放 replaying")
	defer bar.Finish()
	var chunk []store.Entry
	for {
		next, err := earliest(w.ctx, tapes)
		if err != nil {
			return err
		}
		if next != nil {
			chunk = append(chunk, next.page[0])
			next.at, next.page = next.page[0].Position, next.page[1:]
		}
		if len(chunk) == tapePage || next == nil && len(chunk) > 0 {
			if err := apply(w.ctx, chunk); err != nil {
				return err
			}
			done += len(chunk)
			chunk = chunk[:0]
			bar.Set(int64(done))
		}
		if next == nil {
			return nil
		}
	}
}

// earliest gives the tape whose next entry was recorded first; nil: there is none.
func earliest(ctx context.Context, tapes []*tape) (next *tape, err error) {
	for _, t := range tapes {
		if err := t.fill(ctx); err != nil {
			return nil, err
		}
		if len(t.page) > 0 && (next == nil || t.page[0].Recorded.Before(next.page[0].Recorded)) {
			next = t
		}
	}
	return next, nil
}

func closeTapes(tapes []*tape) (err error) {
	for _, t := range tapes {
		err = errors.Join(err, t.journal.Close())
	}
	return err
}
