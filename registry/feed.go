package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// FeedResult says what became of one file or request of a feed.
type FeedResult struct {
	Batch    string      `json:"batch"`
	Tally    feeds.Tally `json:"tally"`          // of lines; those about nobody registered here count as bad
	Accepted int         `json:"accepted"`       // kept now, or kept before
	Held     *Held       `json:"held,omitempty"` // too many people would change colour: nothing is kept until a second person releases it
	Lag      string      `json:"lag,omitempty"`  // age of the newest observation
}

// BatchInfo is the record of a batch (kind "batch"), by which it can be taken back exactly.
type BatchInfo struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	At        time.Time `json:"at"`
	Items     int       `json:"items"`
	People    int       `json:"people"`
	Chunks    int       `json:"chunks"` // records "batch-people" ID#n with the people
	Withdrawn time.Time `json:"withdrawn,omitzero"`
}

const (
	batchKind       = "batch"
	batchPeopleKind = "batch-people"
	chunkPeople     = 50_000
	submitChunk     = 1000
	maxBatchItems   = 1_000_000

	// breakerFloor keeps the breaker from holding the few lines of an ordinary day in a small place: a batch is held
	// when it recolours more than this many people and more than the breaker's share.
	breakerFloor = 20
)

// TakeIn reads a file of evidence, keeps the good lines and gives the bad ones to bad (nil: nobody). Bad are also lines
// about people who are not registered here. A file that would recolour too many people is held as a whole. The same
// file again changes nothing.
func (s *Service) TakeIn(ctx context.Context, file io.Reader, opt feeds.Options, by Actor, bad func(*feeds.Record) error) (res FeedResult, err error) {
	res.Batch = opt.Batch
	items, err := s.readFeed(ctx, file, opt, &res, bad)
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
		res.Held, err = s.holdBatch(ctx, opt, v, items, by)
		return res, err
	}
	if err := s.keepBatch(ctx, opt.Batch, opt.Provider, items); err != nil {
		return res, err
	}
	res.Accepted = len(items)
	return res, s.noteFeed(ctx, opt, res)
}

// readFeed scans the file and finds whom each good line is about.
func (s *Service) readFeed(ctx context.Context, file io.Reader, opt feeds.Options, res *FeedResult, bad func(*feeds.Record) error) (items []Item, err error) {
	reject := func(r *feeds.Record) error {
		if bad == nil {
			return nil
		}
		return bad(r)
	}
	unknown, foreign := 0, 0
	res.Tally, err = feeds.Scan(file, opt, func(r *feeds.Record) error {
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

// keepBatch notes who is in the batch, so that it can be taken back whatever happens next, then takes the items in.
func (s *Service) keepBatch(ctx context.Context, batch, source string, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	if batch != "" {
		if err := s.noteBatch(ctx, batch, source, items); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(items, submitChunk) {
		if err := s.Submit(ctx, chunk...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) noteBatch(ctx context.Context, batch, source string, items []Item) error {
	info, _, err := GetDoc[BatchInfo](ctx, s.cfg.Records, batchKind, batch)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	if !info.Withdrawn.IsZero() {
		return kangma.E(kangma.Conflict, "batch_withdrawn", "this batch was taken back; send it under another name")
	}
	groups := byPerson(items)
	for chunk := range slices.Chunk(groups, chunkPeople) {
		var ids []byte
		for _, g := range chunk {
			ids = append(ids, g[0].Person[:]...)
		}
		rec := store.Record{Kind: batchPeopleKind, ID: fmt.Sprintf("%s#%04d", batch, info.Chunks), Version: 1, Data: ids}
		if err := s.PutRecord(ctx, rec); err != nil && !errors.Is(err, kangma.Conflict) {
			return err
		}
		info.Chunks++
	}
	info.ID, info.Source, info.At = batch, source, s.cfg.Now().UTC()
	info.Items, info.People = info.Items+len(items), info.People+len(groups)
	return s.PutDoc(ctx, batchKind, batch, info, map[string]string{"source": source})
}

// WithdrawBatch takes everything of a batch back, exactly: afterwards everyone is judged as if it had never come. Doing
// it again changes nothing. kangma.NotFound: no such batch.
func (s *Service) WithdrawBatch(ctx context.Context, batch, reason string) (people int, err error) {
	info, _, err := GetDoc[BatchInfo](ctx, s.cfg.Records, batchKind, batch)
	if errors.Is(err, kangma.NotFound) {
		return 0, kangma.E(kangma.NotFound, "no_batch", "there is no such batch")
	}
	if err != nil {
		return 0, err
	}
	now := s.cfg.Now().UTC()
	seen := map[kangma.PersonID]bool{} // a batch sent twice was noted twice
	for n := range info.Chunks {
		rec, err := s.cfg.Records.Get(ctx, batchPeopleKind, fmt.Sprintf("%s#%04d", batch, n))
		if err != nil {
			return people, err
		}
		var items []Item
		for id := range slices.Chunk(rec.Data, 16) {
			person := kangma.PersonID(id)
			if seen[person] {
				continue
			}
			seen[person] = true
			items = append(items, Item{Person: person, Evidence: kangma.Evidence{
				ID: withdrawalID(batch, person, now), Kind: kangma.KindWithdrawal, Observed: now, Source: info.Source,
				Withdrawal: &kangma.Withdrawal{Batch: batch, Reason: reason},
			}})
		}
		for chunk := range slices.Chunk(items, submitChunk) {
			if err := s.Submit(ctx, chunk...); err != nil {
				return people, err
			}
			people += len(chunk)
		}
	}
	if info.Withdrawn.IsZero() {
		info.Withdrawn = now
		err = s.PutDoc(ctx, batchKind, batch, info, map[string]string{"source": info.Source})
	}
	return people, err
}

// withdrawalID is the same for the same batch and person, so that withdrawing twice is once.
func withdrawalID(batch string, person kangma.PersonID, at time.Time) kangma.EventID {
	h := sha256.New()
	fmt.Fprintf(h, "withdraw\x00%s\x00", batch)
	h.Write(person[:])
	return hashID(h)
}

// hashID makes an id of a hash.
func hashID(h hash.Hash) kangma.EventID {
	id := kangma.EventID(h.Sum(nil)[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // UUID version 8: made by our own rule
	return id
}

// heldBatch is a held batch as it is kept: people and evidence only, no names or numbers.
type heldBatch struct {
	Batch  string     `json:"batch"`
	Source string     `json:"source"`
	Items  []heldItem `json:"items"`
}

type heldItem struct {
	Person   kangma.PersonID `json:"p"`
	Evidence []byte          `json:"e"`
}

const maxHeldBytes = 15 << 20

func (s *Service) holdBatch(ctx context.Context, opt feeds.Options, v backtest.Verdict, items []Item, by Actor) (*Held, error) {
	hb := heldBatch{Batch: opt.Batch, Source: opt.Provider}
	for _, it := range items {
		hb.Items = append(hb.Items, heldItem{it.Person, wire.EncodeEvidence(it.Evidence)})
	}
	data, err := json.Marshal(hb)
	if err != nil {
		return nil, err
	}
	if len(data) > maxHeldBytes {
		return nil, kangma.E(kangma.TooLarge, "held_too_large", "this file would recolour too many people and is too large to be held; send it in parts")
	}
	return s.hold(ctx, Held{What: "batch", Name: opt.Batch, Verdict: v, Requested: by}, data)
}

func (s *Service) releaseBatch(ctx context.Context, data []byte) error {
	var hb heldBatch
	if err := json.Unmarshal(data, &hb); err != nil {
		return kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	items := make([]Item, len(hb.Items))
	for i, it := range hb.Items {
		ev, err := wire.DecodeEvidence(it.Evidence)
		if err != nil {
			return err
		}
		items[i] = Item{Person: it.Person, Evidence: ev}
	}
	return s.keepBatch(ctx, hb.Batch, hb.Source, items)
}
