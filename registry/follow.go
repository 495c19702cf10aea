package registry

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// epochKind are the records "rules" and "areas", whose versions rise with every publication on any node.
const epochKind = "epoch"

const (
	rulesEpoch = "rules"
	areasEpoch = "areas"

	// followEvery is how long another node may go on with the old rules: everyone has the new colour in under a second.
	followEvery = 250 * time.Millisecond
)

// swap puts a changed judgement in force here and tells the other nodes. The caller holds s.publish.
func (s *Service) swap(ctx context.Context, what string, f func(*judgement)) {
	next := *s.current.Load()
	f(&next)
	s.current.Store(&next)
	s.wake()
	for range casAttempts {
		old, err := s.epochOf(ctx, what)
		if err != nil {
			break
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: epochKind, ID: what, Version: old + 1})
		if err == nil {
			if s.epochs[what] == old { // otherwise another node published in between: follow takes that up
				s.epochs[what] = old + 1
			}
			return
		}
		if !errors.Is(err, kangma.Conflict) {
			break
		}
	}
	s.log.Error("what was published here is in force, but other nodes were not told; publish it again")
}

func (s *Service) epochOf(ctx context.Context, what string) (uint64, error) {
	rec, err := s.cfg.Records.Get(ctx, epochKind, what)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return 0, err
	}
	return rec.Version, nil
}

// follow takes up what another node published.
func (s *Service) follow(ctx context.Context) error {
	return errors.Join(s.followOne(ctx, rulesEpoch, s.reloadRules), s.followOne(ctx, areasEpoch, s.reloadAreas))
}

func (s *Service) followOne(ctx context.Context, what string, reload func(context.Context) error) error {
	epoch, err := s.epochOf(ctx, what)
	if err != nil || epoch == 0 { // nothing was published since the records were made
		return err
	}
	s.publish.Lock()
	defer s.publish.Unlock()
	if s.epochs[what] == epoch {
		return nil
	}
	if err := reload(ctx); err != nil {
		return err
	}
	s.epochs[what] = epoch // as it was before the reload: what came during it is taken up next time
	return nil
}

// followLoop follows the other nodes until ctx ends.
func (s *Service) followLoop(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.follow(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("follow what other nodes publish", "err", err)
		}
	}
}

// Reload reads the rules and areas in force from the records: at start.
func (s *Service) Reload(ctx context.Context) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	for _, one := range []struct {
		what   string
		reload func(context.Context) error
	}{{rulesEpoch, s.reloadRules}, {areasEpoch, s.reloadAreas}} {
		epoch, err := s.epochOf(ctx, one.what)
		if err != nil {
			return err
		}
		if err := one.reload(ctx); err != nil {
			return err
		}
		s.epochs[one.what] = epoch
	}
	return nil
}

func (s *Service) reloadRules(ctx context.Context) error {
	p, _, err := s.plan(ctx)
	if err != nil {
		return err
	}
	catalogue, err := s.catalogue(ctx, p)
	if err != nil {
		return err
	}
	next := *s.current.Load()
	next.rules = catalogue
	s.current.Store(&next)
	s.wake()
	return nil
}

func (s *Service) reloadAreas(ctx context.Context) error {
	table, err := s.loadAreas(ctx)
	if err != nil {
		return err
	}
	next := *s.current.Load()
	next.areas = table
	s.current.Store(&next)
	s.wake()
	return nil
}
