package registry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/store"
)

// weighAtOnce is how long a request waits for the count of whom a change would recolour. Counting ten million people takes
// minutes, and a request does not live that long.
const weighAtOnce = 20 * time.Second

// breaker decides where the count, which took long, is within its limit.
var breaker = Actor{Account: "breaker"}

// weigh counts whom a change would recolour and holds it where that is too many (nil: it may be carried out now). A count
// that takes long goes on in the background: the change waits as "weighing" and is then carried out or held.
func (s *Service) weigh(ctx context.Context, h Held, data []byte, patience time.Duration, count func(context.Context) (backtest.Verdict, error)) (*Held, error) {
	quick, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, err := count(quick)
	switch {
	case err == nil && !v.Held:
		return nil, nil
	case err == nil:
		h.Verdict = v
		return s.hold(ctx, h, data)
	case ctx.Err() != nil || !errors.Is(quick.Err(), context.DeadlineExceeded):
		return nil, err
	}
	h.Status = "weighing"
	held, err := s.hold(ctx, h, data)
	if err == nil {
		s.done.Go(func() { s.weighOn(held.ID, count) })
	}
	return held, err
}

func (s *Service) patience() time.Duration {
	if s.cfg.Patience == 0 {
		return weighAtOnce
	}
	return s.cfg.Patience
}

// weighOn counts on until the service is closed. Then the change stays "weighing", for two persons or a new proposal.
func (s *Service) weighOn(id string, count func(context.Context) (backtest.Verdict, error)) {
	v, err := count(s.run)
	if err == nil {
		err = s.weighed(s.run, id, v)
	}
	if err != nil && s.run.Err() == nil {
		s.log.Error("what a change would do could not be counted; it waits for two persons", "approval", id, "err", err)
	}
}

// weighed carries a change out, or holds it, unless somebody decided on it meanwhile.
func (s *Service) weighed(ctx context.Context, id string, v backtest.Verdict) error {
	h, version, err := GetDoc[Held](ctx, s.cfg.Records, heldKind, id)
	if err != nil || h.Status != "weighing" {
		return err
	}
	h.Verdict, h.Status = v, "held"
	if !v.Held {
		h.Decided, h.Status = breaker, "released"
		if err := s.carryOut(ctx, h); err != nil {
			return err
		}
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	err = s.PutRecord(ctx, store.Record{Kind: heldKind, ID: id, Version: version + 1, Data: data, Index: map[string]string{"status": h.Status}})
	if errors.Is(err, kangma.Conflict) {
		return nil
	}
	return err
}
