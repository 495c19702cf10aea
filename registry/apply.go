package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

const (
	markKind    = "applied"
	healChunk   = 1000
	healEvery   = 500 * time.Millisecond
	healPatient = 10 // rounds
	casAttempts = 50
)

// mark reads up to where this node's journal is applied.
func (s *Service) mark(ctx context.Context) (store.Position, error) {
	rec, err := s.cfg.Records.Get(ctx, markKind, s.cfg.Node)
	if errors.Is(err, kangma.NotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(rec.Data), 10, 64)
	return store.Position(n), err
}

// Applied is up to where the journal is applied and so noted in the store: a replay starts there.
func (s *Service) Applied() store.Position {
	noted := store.Position(s.noted.Load())
	stored, _ := s.markStored()
	return max(noted, stored)
}

// markStored gives the mark as a store that lags behind has stored it; lags is false for any other.
func (s *Service) markStored() (pos store.Position, lags bool) {
	if l, ok := s.cfg.Dossiers.(store.Lagging); ok {
		return l.Marked(s.cfg.Node)
	}
	return 0, false
}

func (s *Service) writeMark(ctx context.Context) error {
	low, _ := s.applied.position()
	if low == 0 {
		return nil
	}
	if err := s.cfg.Dossiers.Update(ctx, store.Mark{Node: s.cfg.Node, Applied: low}); err != nil {
		return err
	}
	if _, lags := s.markStored(); !lags {
		s.noted.Store(uint64(low))
	}
	return nil
}

// heal applies everything the journal holds beyond the mark, then moves the mark.
func (s *Service) heal(ctx context.Context) error {
	for {
		low, _ := s.applied.position()
		entries, err := s.cfg.Journal.After(ctx, low, healChunk)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			if err := s.writeMark(ctx); err != nil {
				return err
			}
			s.pending.clear()
			return nil
		}
		if err := s.applyEntries(ctx, entries); err != nil {
			return err
		}
	}
}

// applyEntries applies entries in order, skipping those already applied. Applying twice changes nothing.
func (s *Service) applyEntries(ctx context.Context, entries []store.Entry) error {
	todo := slices.DeleteFunc(slices.Clone(entries), func(e store.Entry) bool { return s.applied.isDone(e.Position) })
	if err := s.applyEvents(ctx, todo); err != nil {
		return err
	}
	for _, e := range todo {
		s.applied.mark(e.Position, 1)
	}
	return nil
}

// applyLoop heals what a failing store left behind and writes the mark now and then. It looks only at positions that
// have stood still for a whole round, so that it does not race with the writers that are about to apply their own: while batches are
// on their way and none failed, for healPatient rounds. Under a full processor each takes longer than a round, and whoever
// is overtaken has to apply everything again, one by one.
func (s *Service) applyLoop(ctx context.Context) {
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	var last, written store.Position
	still := 0 // rounds
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		low, beyond := s.applied.position()
		if still++; low != last {
			still = 0
		}
		due := still > 0 && s.taking.Load() == 0 || still >= healPatient || still > 0 && s.failed.Swap(false)
		if due && (beyond > 0 || s.behind(ctx, low)) {
			if err := s.heal(ctx); err != nil && ctx.Err() == nil {
				s.failed.Store(true)
				s.log.Warn("apply the journal", "position", low, "err", err)
			}
		}
		last = low
		if low > written && s.writeMark(ctx) == nil {
			written = low
		}
	}
}

func (s *Service) behind(ctx context.Context, low store.Position) bool {
	entries, err := s.cfg.Journal.After(ctx, low, 1)
	return err == nil && len(entries) > 0
}

// applyEvent brings one event into the state. It is idempotent by the event's id.
func (s *Service) applyEvent(ctx context.Context, e kangma.Event) error {
	switch e.Kind {
	case kangma.EventEvidence, kangma.EventPerson:
		st, _, err := stepOf(e)
		if err != nil {
			return err
		}
		return s.applyStep(ctx, st)
	case kangma.EventRecord:
		rec, err := wire.DecodeRecord(e.Data)
		if err != nil {
			return err
		}
		return s.applyRecord(ctx, rec)
	case kangma.EventAccess:
		return s.applyAccess(ctx, e)
	case kangma.EventPassage, kangma.EventLost:
		return nil // the warehouse's affair, or nobody's
	case kangma.EventErase:
		if err := s.changeAccesses(ctx, e.Person, func([]View) []View { return nil }); err != nil {
			return err
		}
		if err := s.forgetNotices(ctx, e.Person); err != nil {
			return err
		}
		return s.applyStep(ctx, step{person: e.Person})
	}
	return fmt.Errorf("event kind %q is unknown to this version", e.Kind)
}

// addEvidence puts ev in its place by id; false: it is there already.
func addEvidence(d *kangma.Dossier, ev kangma.Evidence) bool {
	at, found := slices.BinarySearchFunc(d.Evidence, ev.ID, func(e kangma.Evidence, id kangma.EventID) int {
		return slices.Compare(e.ID[:], id[:])
	})
	if found {
		return false
	}
	if len(d.Evidence) < cap(d.Evidence) {
		d.Evidence = slices.Insert(d.Evidence, at, ev)
		return true
	}
	all := make([]kangma.Evidence, len(d.Evidence)+1) // no more than it needs: a piece is large, and most come alone
	copy(all, d.Evidence[:at])
	all[at] = ev
	copy(all[at+1:], d.Evidence[at:])
	d.Evidence = all
	return true
}

// applyRecord stores rec unless its version or a later one is there. A gap below rec is filled by rec itself: after a
// rebuild only the journal's order counts.
func (s *Service) applyRecord(ctx context.Context, rec store.Record) error {
	for range casAttempts {
		old, err := s.cfg.Records.Get(ctx, rec.Kind, rec.ID)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		if old.Version >= rec.Version {
			return nil
		}
		step := rec
		step.Version = old.Version + 1
		err = s.cfg.Records.Put(ctx, step)
		if err != nil && !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")
}

func erase(d *kangma.Dossier) bool {
	if d.Sealed.IsZero() && len(d.Evidence) == 0 {
		return false
	}
	d.Sealed, d.Evidence, d.Guardians, d.Home = kangma.SealedIdentity{}, nil, nil, kangma.Place{}
	return true
}

// Applier applies journal entries to stores that nobody else uses, for a rebuild. It is for one goroutine.
type Applier struct {
	s     *Service
	kinds map[string]bool
}

// NewApplier makes an Applier.
func NewApplier(dossiers store.Dossiers, records store.Records) *Applier {
	return &Applier{s: &Service{cfg: Config{Dossiers: dossiers, Records: records}}, kinds: map[string]bool{}}
}

// Apply applies entries in order. Taking an entry again is no harm. Entries may be of several journals.
func (a *Applier) Apply(ctx context.Context, entries []store.Entry) error {
	for _, e := range entries {
		if e.Event.Kind == kangma.EventRecord {
			rec, err := wire.DecodeRecord(e.Event.Data)
			if err != nil {
				return err
			}
			a.kinds[rec.Kind] = true
		}
	}
	return a.s.applyEvents(ctx, entries)
}

// Kinds gives the kinds of records that were applied, sorted.
func (a *Applier) Kinds() []string { return slices.Sorted(maps.Keys(a.kinds)) }
