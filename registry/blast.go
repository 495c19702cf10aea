package registry

import (
	"context"
	"math"
	"time"

	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/rules"
)

// maxMoments is how many planned activations a change is weighed at, besides now.
const maxMoments = 4

// blast counts whom a change would recolour, over everyone stored, now and at every moment when a planned rule set takes
// over, and gives the verdict on the worst of them. Where nothing is in force there is nobody to recolour: the first rule
// set and the first list pass. Changes of at most floor people are never held.
func (s *Service) blast(ctx context.Context, old, next *judgement, floor int64) (worst backtest.Verdict, err error) {
	if old.areas == nil {
		return worst, nil
	}
	now := s.cfg.Now()
	moments := []time.Time{now}
	for _, set := range next.rules.Sets() {
		if from, _ := set.Window(); from.After(now) && len(moments) <= maxMoments {
			moments = append(moments, from)
		}
	}
	for _, at := range moments {
		v, err := s.blastAt(ctx, old, next, at, floor)
		if err != nil {
			return worst, err
		}
		if v.Share > worst.Share || v.Held && !worst.Held {
			worst = v
		}
	}
	return worst, nil
}

// blastAt counts whom a change would recolour at one moment, at the full hour after it. Where the old plan has nothing in
// force then, what is in force now is compared.
func (s *Service) blastAt(ctx context.Context, old, next *judgement, at time.Time, floor int64) (v backtest.Verdict, err error) {
	was, is := old.set(at), next.set(at)
	if was == nil {
		was = old.set(s.cfg.Now())
	}
	if was == nil || is == nil || was.Ref() == is.Ref() && old.areas == next.areas {
		return v, nil
	}
	at = fullHour(at, s.cfg.Now(), is)
	report, err := backtest.Run(ctx, s.People(), backtest.Config{
		Old: backtest.Side{Rules: was, Areas: old.areas}, New: backtest.Side{Rules: is, Areas: next.areas},
		From: at, Days: 1, Hour: at.Hour(), Hindsight: true,
	})
	if err != nil || report.People == 0 { // nobody is stored: nobody can be recoloured
		return v, err
	}
	v = report.Blast(s.cfg.Breaker)
	if changed := int64(math.Round(v.Share * float64(report.People))); changed <= floor {
		v.Held = false
	}
	return v, nil
}

// fullHour gives the full hour at or after a moment to come, in the zone of the rules; for now, the next one: what is
// published now is surely in force by then.
func fullHour(at, now time.Time, set *rules.Set) time.Time {
	if !at.After(now) {
		return now.Add(time.Hour).Truncate(time.Hour).In(set.Zone())
	}
	if hour := at.Truncate(time.Hour); !hour.Equal(at) {
		at = hour.Add(time.Hour)
	}
	return at.In(set.Zone())
}
