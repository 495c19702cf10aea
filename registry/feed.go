package registry

import (
	"bytes"
	"context"
	"io"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
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
	items, known, err := s.readFeed(ctx, read, &res, bad)
	if err != nil {
		return res, err
	}
	if !res.Tally.Newest.IsZero() {
		res.Lag = opt.Now.Sub(res.Tally.Newest).Round(time.Second).String()
	}
	v, err := s.batchBlast(ctx, items, known)
	if err != nil {
		return res, err
	}
	if v.Held {
		if res.Held, err = s.holdBatch(ctx, opt, v, items, by); err != nil {
			return res, err
		}
		return res, s.noteFeed(ctx, opt, res)
	}
	if err := s.keepBatch(ctx, opt.Batch, opt.Provider, items, known); err != nil {
		return res, err
	}
	res.Accepted = len(items)
	return res, s.noteFeed(ctx, opt, res)
}

// batchBlast counts whom the items would recolour now, against everyone there is.
func (s *Service) batchBlast(ctx context.Context, items []Item, known map[kangma.PersonID]kangma.Dossier) (backtest.Verdict, error) {
	if len(items) <= breakerFloor {
		return backtest.Verdict{}, nil
	}
	now, j := s.cfg.Now().UTC(), s.current.Load()
	changed := int64(0)
	var room []kangma.Evidence // for everybody in turn: what the dossiers hold stays as it is
	for groups := range slices.Chunk(byPerson(items), lineChunk) {
		people, err := s.knownPeople(ctx, groups, known)
		if err != nil {
			return backtest.Verdict{}, err
		}
		for i, d := range people {
			if d.Version == 0 {
				continue
			}
			was := j.stand(&d, now)
			room = append(room[:0], d.Evidence...)
			room = slices.Grow(room, len(groups[i]))
			d.Evidence = room
			for _, it := range groups[i] {
				addEvidence(&d, it.Evidence)
			}
			if is := j.stand(&d, now); is != was {
				changed++
			}
		}
	}
	if changed <= breakerFloor {
		return backtest.Verdict{}, nil
	}
	people, err := s.countPeople(ctx)
	return s.cfg.Breaker.Check(changed, people), err
}

// knownPeople gives the dossier of each group's person.
func (s *Service) knownPeople(ctx context.Context, groups [][]Item, known map[kangma.PersonID]kangma.Dossier) ([]kangma.Dossier, error) {
	out := make([]kangma.Dossier, len(groups))
	var ask []kangma.PersonID
	var at []int
	for i, g := range groups {
		d, ok := known[g[0].Person]
		if out[i] = d; !ok {
			ask, at = append(ask, g[0].Person), append(at, i)
		}
	}
	got, err := store.GetMany(ctx, s.cfg.Dossiers, ask)
	if err != nil {
		return nil, err
	}
	for n, i := range at {
		out[i] = got[n]
	}
	return out, nil
}

// byPerson groups items by person, keeping the order of each person's items. A group of one is that of the items themselves.
func byPerson(items []Item) [][]Item {
	groups, at := make([][]Item, 0, len(items)), make(map[kangma.PersonID]int, len(items))
	for n := range items {
		i, ok := at[items[n].Person]
		if !ok {
			at[items[n].Person] = len(groups)
			groups = append(groups, items[n:n+1:n+1])
			continue
		}
		groups[i] = append(groups[i], items[n])
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
