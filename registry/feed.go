package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/feeds"
)

// FeedResult says what became of one file or request of a feed.
type FeedResult struct {
	Batch    string      `json:"batch"`
	Tally    feeds.Tally `json:"tally"`          // of lines; those about nobody registered here count as bad
	Accepted int         `json:"accepted"`       // kept now, or kept before
	Held     *Held       `json:"held,omitempty"` // too many people would change colour: nothing is kept until a second person releases it
	Lag      string      `json:"lag,omitempty"`  // age of the newest observation
}

const (
	maxBatchItems = 1_000_000

	// breakerFloor keeps the breaker from holding the few lines of an ordinary day in a small place: a batch is held
	// when it recolours more than this many people and more than the breaker's share.
	breakerFloor = 20
)

// TakeIn reads a file of evidence, keeps the good lines and gives the bad ones to bad (nil: nobody). Bad are also lines
// about people who are not registered here. A file that would recolour too many people is held as a whole. The same
// file again changes nothing.
func (s *Service) TakeIn(ctx context.Context, file io.Reader, opt feeds.Options, by Actor, bad func(*feeds.Record) error) (FeedResult, error) {
	return s.takeIn(ctx, opt, by, bad, func(yield func(*feeds.Record) error) (feeds.Tally, error) { return feeds.Scan(file, opt, yield) })
}

// Replay is TakeIn for a quarantine file whose texts were mended. The lines keep their numbers.
func (s *Service) Replay(ctx context.Context, quarantine []byte, opt feeds.Options, by Actor, bad func(*feeds.Record) error) (FeedResult, error) {
	header, lines, err := SplitQuarantine(quarantine)
	if err != nil {
		return FeedResult{}, err
	}
	return s.takeIn(ctx, opt, by, bad, func(yield func(*feeds.Record) error) (feeds.Tally, error) {
		return feeds.Replay(bytes.NewReader(lines), header, opt, yield)
	})
}

// scan gives every record of a file, good or not.
type scan func(yield func(*feeds.Record) error) (feeds.Tally, error)

func (s *Service) takeIn(ctx context.Context, opt feeds.Options, by Actor, bad func(*feeds.Record) error, read scan) (res FeedResult, err error) {
	res.Batch = opt.Batch
	items, err := s.readFeed(ctx, read, &res, bad)
	if err != nil {
		return res, err
	}
	if !res.Tally.Newest.IsZero() {
		res.Lag = opt.Now.Sub(res.Tally.Newest).Round(time.Second).String()
	}
	v, err := s.batchBlast(ctx, items)
	if err != nil {
		return res, err
	}
	if v.Held {
		if res.Held, err = s.holdBatch(ctx, opt, v, items, by); err != nil {
			return res, err
		}
		return res, s.noteFeed(ctx, opt, res)
	}
	if err := s.keepBatch(ctx, opt.Batch, opt.Provider, items); err != nil {
		return res, err
	}
	res.Accepted = len(items)
	return res, s.noteFeed(ctx, opt, res)
}

// readFeed scans the file and finds whom each good line is about.
func (s *Service) readFeed(ctx context.Context, read scan, res *FeedResult, bad func(*feeds.Record) error) (items []Item, err error) {
	reject := func(r *feeds.Record) error {
		if bad == nil {
			return nil
		}
		return bad(r)
	}
	unknown, foreign := 0, 0
	res.Tally, err = read(func(r *feeds.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(r.Faults) > 0 {
			return reject(r)
		}
		id, err := s.subject(ctx, r.Subject)
		if errors.Is(err, kangma.NotFound) {
			unknown++
			r.Faults = []kangma.Fault{{Where: "person", Code: "unknown_person", What: "nobody of this id or document is registered here"}}
			return reject(r)
		}
		if err != nil {
			return err
		}
		mayNot, err := s.others(ctx, id, &r.Evidence)
		if err != nil {
			return err
		}
		if mayNot {
			foreign++
			r.Faults = []kangma.Fault{{Where: "withdrawal.event", Code: feeds.NotAllowed, What: "a provider takes back or corrects its own events only"}}
			return reject(r)
		}
		if len(items) == maxBatchItems {
			return kangma.E(kangma.TooLarge, "batch", "a batch has at most 1,000,000 lines; split the file; nothing was kept")
		}
		items = append(items, Item{Person: id, Evidence: r.Evidence})
		return nil
	})
	res.Tally.Good -= unknown + foreign
	res.Tally.Bad += unknown + foreign
	for code, n := range map[string]int{"unknown_person": unknown, feeds.NotAllowed: foreign} {
		if n == 0 {
			continue
		}
		if res.Tally.Faults == nil {
			res.Tally.Faults = map[string]int{}
		}
		res.Tally.Faults[code] += n
	}
	return items, err
}

// others reports whether evidence would take back or correct an event that another source reported.
func (s *Service) others(ctx context.Context, id kangma.PersonID, ev *kangma.Evidence) (bool, error) {
	target := ev.Replaces
	if ev.Withdrawal != nil && !ev.Withdrawal.Event.IsZero() {
		target = ev.Withdrawal.Event
	}
	if target.IsZero() {
		return false, nil
	}
	d, err := s.cfg.Dossiers.Get(ctx, id)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(d.Evidence, func(e kangma.Evidence) bool { return e.ID == target && e.Source != ev.Source }), nil
}

func (s *Service) subject(ctx context.Context, sub feeds.Subject) (kangma.PersonID, error) {
	if sub.Person.IsZero() {
		return s.ByDocument(ctx, sub.DocType, sub.Number)
	}
	_, err := s.cfg.Dossiers.Get(ctx, sub.Person)
	return sub.Person, err
}

// batchBlast counts whom the items would recolour now, against everyone there is.
func (s *Service) batchBlast(ctx context.Context, items []Item) (backtest.Verdict, error) {
	if len(items) <= breakerFloor {
		return backtest.Verdict{}, nil
	}
	now, j := s.cfg.Now().UTC(), s.current.Load()
	changed := int64(0)
	for _, group := range byPerson(items) {
		d, err := s.cfg.Dossiers.Get(ctx, group[0].Person)
		if errors.Is(err, kangma.NotFound) {
			continue
		}
		if err != nil {
			return backtest.Verdict{}, err
		}
		was := j.stand(&d, now)
		for _, it := range group {
			addEvidence(&d, it.Evidence)
		}
		if is := j.stand(&d, now); is != was {
			changed++
		}
	}
	if changed <= breakerFloor {
		return backtest.Verdict{}, nil
	}
	people, err := s.countPeople(ctx)
	return s.cfg.Breaker.Check(changed, people), err
}

// byPerson groups items by person, keeping the order of each person's items.
func byPerson(items []Item) (groups [][]Item) {
	at := map[kangma.PersonID]int{}
	for _, it := range items {
		i, ok := at[it.Person]
		if !ok {
			i = len(groups)
			at[it.Person] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], it)
	}
	return groups
}

// countPeople gives the people of the last whole sweep or, before the first, counts them.
func (s *Service) countPeople(ctx context.Context) (n int64, err error) {
	if st, err := s.SweepStatus(ctx); err == nil && st.Whole > 0 {
		return st.Whole, nil
	}
	people := s.People()
	for p := range people.Chunks() {
		if err := people.Each(ctx, p, func(*kangma.Dossier) bool { n++; return true }); err != nil {
			return 0, err
		}
	}
	return n, nil
}
