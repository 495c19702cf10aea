package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

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
)

// keepBatch notes who is in the batch, so that it can be taken back whatever happens next, then takes the items in.
// known are dossiers the caller has read already.
func (s *Service) keepBatch(ctx context.Context, batch, source string, items []Item, known map[kangma.PersonID]kangma.Dossier) error {
	if len(items) == 0 {
		return nil
	}
	if batch != "" {
		if err := s.noteBatch(ctx, batch, source, items); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(items, submitChunk) {
		if err := s.submit(ctx, chunk, known); err != nil {
			return err
		}
		for _, it := range chunk { // used up
			delete(known, it.Person)
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
	return s.keepBatch(ctx, hb.Batch, hb.Source, items, nil)
}
