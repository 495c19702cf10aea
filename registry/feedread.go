package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
)

// lineChunk is how many lines are held against the store at once. mostKnown bounds the dossiers that are kept from
// reading a file to applying it, some four kilobytes each.
const (
	lineChunk = 1000
	mostKnown = 20_000
)

// feedReader finds whom the good lines of a file are about, many at a time.
type feedReader struct {
	s     *Service
	bad   func(*feeds.Record) error
	lines []*feeds.Record // not yet looked up, bad ones too, so that bad lines are told in their order
	raw   []byte          // their texts
	items []Item
	known map[kangma.PersonID]kangma.Dossier // as they were read

	unknown, foreign int
}

// readFeed scans the file and finds whom each good line is about.
func (s *Service) readFeed(ctx context.Context, read scan, res *FeedResult, bad func(*feeds.Record) error) ([]Item, map[kangma.PersonID]kangma.Dossier, error) {
	r := feedReader{s: s, bad: bad, known: map[kangma.PersonID]kangma.Dossier{}}
	var err error
	res.Tally, err = read(func(rec *feeds.Record) error {
		from := len(r.raw)
		r.raw = append(r.raw, rec.Raw...) // it would be gone when the next line is read
		rec.Raw = r.raw[from:len(r.raw):len(r.raw)]
		if r.lines = append(r.lines, rec); len(r.lines) < lineChunk {
			return nil
		}
		return r.look(ctx)
	})
	if err == nil {
		err = r.look(ctx)
	}
	res.Tally.Good -= r.unknown + r.foreign
	res.Tally.Bad += r.unknown + r.foreign
	for code, n := range map[string]int{"unknown_person": r.unknown, feeds.NotAllowed: r.foreign} {
		if n == 0 {
			continue
		}
		if res.Tally.Faults == nil {
			res.Tally.Faults = map[string]int{}
		}
		res.Tally.Faults[code] += n
	}
	return r.items, r.known, err
}

// look takes the lines read so far.
func (r *feedReader) look(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	people, err := r.subjects(ctx)
	if err != nil {
		return err
	}
	for i, rec := range r.lines {
		if err := r.take(rec, people[i]); err != nil {
			return err
		}
	}
	if len(r.known) > mostKnown {
		clear(r.known)
	}
	r.lines, r.raw = r.lines[:0], r.raw[:0]
	return nil
}

// subjects gives the dossier of each line's person, the zero one of nobody. Everyone is read once.
func (r *feedReader) subjects(ctx context.Context) ([]kangma.Dossier, error) {
	ids := make([]kangma.PersonID, len(r.lines))
	var ask []kangma.PersonID
	asked := make(map[kangma.PersonID]bool, len(r.lines))
	for i, rec := range r.lines {
		if len(rec.Faults) > 0 {
			continue
		}
		id, err := r.s.subject(ctx, rec.Subject)
		if errors.Is(err, kangma.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if ids[i] = id; r.known[id].Version == 0 && !asked[id] {
			asked[id], ask = true, append(ask, id)
		}
	}
	got, err := store.GetMany(ctx, r.s.cfg.Dossiers, ask)
	if err != nil {
		return nil, err
	}
	for i, id := range ask {
		if got[i].Version != 0 {
			r.known[id] = got[i]
		}
	}
	out := make([]kangma.Dossier, len(ids))
	for i, id := range ids {
		out[i] = r.known[id]
	}
	return out, nil
}

// subject gives the person a line names, who may yet be nobody.
func (s *Service) subject(ctx context.Context, sub feeds.Subject) (kangma.PersonID, error) {
	if sub.Person.IsZero() {
		return s.ByDocument(ctx, sub.DocType, sub.Number)
	}
	return sub.Person, nil
}

// take keeps one line or tells that it is bad.
func (r *feedReader) take(rec *feeds.Record, d kangma.Dossier) error {
	fault := func(n *int, where, code, what string) {
		*n++
		rec.Faults = []kangma.Fault{{Where: where, Code: code, What: what}}
	}
	switch {
	case len(rec.Faults) > 0:
	case d.Version == 0:
		fault(&r.unknown, "person", "unknown_person", "nobody of this id or document is registered here")
	case others(&d, &rec.Evidence):
		fault(&r.foreign, "withdrawal.event", feeds.NotAllowed, "a provider takes back or corrects its own events only")
	case len(r.items) == maxBatchItems:
		return kangma.E(kangma.TooLarge, "batch", "a batch has at most 1,000,000 lines; split the file; nothing was kept")
	default:
		r.items = append(r.items, Item{Person: d.Person, Evidence: rec.Evidence})
		return nil
	}
	if r.bad == nil {
		return nil
	}
	return r.bad(rec)
}

// others reports whether evidence would take back or correct an event that another source reported.
func others(d *kangma.Dossier, ev *kangma.Evidence) bool {
	target := ev.Replaces
	if ev.Withdrawal != nil && !ev.Withdrawal.Event.IsZero() {
		target = ev.Withdrawal.Event
	}
	return !target.IsZero() && slices.ContainsFunc(d.Evidence, func(e kangma.Evidence) bool { return e.ID == target && e.Source != ev.Source })
}
