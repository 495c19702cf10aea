package issuance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Touched remembers whose dossier changed, so that the status list need not ask about everybody who holds a code each five
// minutes: whoever nobody touched has the colour that the last whole sweep found. Each node writes what it changed into small
// records, which all nodes read and which are deleted when a sweep has passed over them.
type Touched struct {
	mu     sync.Mutex
	people map[kangma.PersonID]struct{}
}

const (
	touchedKind  = "touched"        // id: second of the writing, node, part; data: person ids of 16 bytes, or touchedAll
	touchedAll   = "all"            // somebody may have been touched whom nobody wrote down
	touchedPart  = 50_000           // people of one record
	touchedSlack = time.Minute      // how far the nodes' clocks may differ
	sweepMayBe   = 60 * time.Minute // how old; else everybody is asked about
)

// Watch gives a Dossiers that notes whose dossiers it changes.
func (t *Touched) Watch(d store.Dossiers) store.Dossiers { return watched{d, t} }

type watched struct {
	store.Dossiers
	t *Touched
}

// Update notes everybody before it stores: one who is noted in vain does no harm.
func (w watched) Update(ctx context.Context, mark store.Mark, dossiers ...kangma.Dossier) error {
	if len(dossiers) > 0 {
		w.t.mu.Lock()
		if w.t.people == nil {
			w.t.people = map[kangma.PersonID]struct{}{}
		}
		for i := range dossiers {
			w.t.people[dossiers[i].Person] = struct{}{}
		}
		w.t.mu.Unlock()
	}
	return w.Dossiers.Update(ctx, mark, dossiers...)
}

var (
	_ store.Many    = watched{}
	_ store.Lagging = watched{}
)

// GetMany reads several people at once where the store can.
func (w watched) GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error) {
	return store.GetMany(ctx, w.Dossiers, people)
}

// Marked asks the store how far it lags behind.
func (w watched) Marked(node string) (pos store.Position, lags bool) {
	if l, ok := w.Dossiers.(store.Lagging); ok {
		return l.Marked(node)
	}
	return 0, false
}

func (t *Touched) take() map[kangma.PersonID]struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	people := t.people
	t.people = nil
	return people
}

func (t *Touched) back(people map[kangma.PersonID]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.people == nil {
		t.people = people
		return
	}
	for p := range people {
		t.people[p] = struct{}{}
	}
}

func (s *Service) putTouched(ctx context.Context, now time.Time, part int, data []byte) error {
	rec := store.Record{Kind: touchedKind, ID: fmt.Sprintf("%011d/%s/%03d", now.Unix(), s.node, part), Version: 1, Data: data}
	err := s.registry.Records().Put(ctx, rec)
	for n := uint64(2); errors.Is(err, kangma.Conflict) && n < 10; n++ { // a second flush within this second
		rec.ID = fmt.Sprintf("%011d/%s/%03d", now.Unix(), s.node, part+int(n)*100)
		err = s.registry.Records().Put(ctx, rec)
	}
	return err
}

// flushTouched writes down who was touched at this node since the last time. The first time it says that everybody may have been:
// what the process before it did not write is unknown.
func (s *Service) flushTouched(ctx context.Context, now time.Time) error {
	if s.touched == nil {
		return nil
	}
	if !s.flushed {
		if err := s.putTouched(ctx, now, 0, []byte(touchedAll)); err != nil {
			return unavailable(err)
		}
		s.flushed = true
	}
	people := s.touched.take()
	if len(people) == 0 {
		return nil
	}
	part, data := 1, make([]byte, 0, 16*min(len(people), touchedPart))
	put := func() error {
		err := s.putTouched(ctx, now, part, data)
		part, data = part+1, data[:0:0]
		return err
	}
	for p := range people {
		if data = append(data, p[:]...); len(data) == 16*touchedPart {
			if err := put(); err != nil {
				s.touched.back(people)
				return unavailable(err)
			}
		}
	}
	if len(data) > 0 {
		if err := put(); err != nil {
			s.touched.back(people)
			return unavailable(err)
		}
	}
	return nil
}

// touchedSince gives who was touched since a moment, and deletes what was written before it. all: somebody unknown was.
func (s *Service) touchedSince(ctx context.Context, since time.Time) (people map[kangma.PersonID]struct{}, all bool, err error) {
	people = map[kangma.PersonID]struct{}{}
	for after := ""; ; {
		recs, next, err := s.registry.Records().List(ctx, store.RecordQuery{Kind: touchedKind, After: after, Limit: 200})
		if err != nil {
			return nil, false, unavailable(err)
		}
		for _, rec := range recs {
			head, _, _ := strings.Cut(rec.ID, "/")
			second, err := strconv.ParseInt(head, 10, 64)
			if err != nil {
				continue
			}
			if second < since.Unix() {
				gone := store.Record{Kind: rec.Kind, ID: rec.ID, Version: rec.Version + 1, Deleted: true}
				if err := s.registry.Records().Put(ctx, gone); err != nil && !errors.Is(err, kangma.Conflict) {
					return nil, false, unavailable(err)
				}
				continue
			}
			all = all || string(rec.Data) == touchedAll
			for b := rec.Data; len(b) >= 16; b = b[16:] {
				people[kangma.PersonID(b[:16])] = struct{}{}
			}
		}
		if after = next; next == "" {
			return people, all, nil
		}
	}
}

// suspects gives everybody whose codes may say more than is so: whom the last whole sweep found not green, who was touched
// since, and who holds a void code. whole is false where that cannot be known: no sweep lately, none since the rules or areas in
// force, or a node that has just started. Then everybody who holds a code is asked about.
func (s *Service) suspects(ctx context.Context, now time.Time) (people map[kangma.PersonID]struct{}, whole bool, err error) {
	if s.touched == nil {
		return nil, false, nil
	}
	list, err := s.registry.NotGreen(ctx, 0)
	if err != nil {
		return nil, false, unavailable(err)
	}
	ref, areas, _ := s.registry.InForce()
	if seen := ref.ID + " " + ref.Digest + " " + areas; seen != s.lists.judged {
		s.lists.judged, s.lists.judgedSince = seen, now
	}
	people, all, err := s.touchedSince(ctx, list.AsOf.Add(-touchedSlack))
	if err != nil || all || list.AsOf.IsZero() || now.Sub(list.AsOf) > sweepMayBe || !list.AsOf.After(s.lists.judgedSince) {
		return nil, false, err
	}
	for _, g := range list.People {
		people[g.Person] = struct{}{}
	}
	err = s.eachBy(ctx, heldKind, "void", "yes", func(id string, _ []byte, _ uint64) error {
		p, err := kangma.ParsePersonID(id)
		people[p] = struct{}{}
		return err
	})
	return people, err == nil, err
}
