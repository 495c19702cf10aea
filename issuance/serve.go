package issuance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// refresh reads the lists again when they were read a moment ago. The caller holds the lock.
func (s *Service) refresh(ctx context.Context) error {
	c, now := &s.lists, s.registry.Now()
	if age := now.Sub(c.read); age >= 0 && age < cacheFor {
		return nil
	}
	trust, _, err := s.getList(ctx, trustID)
	status, _, err2 := s.getList(ctx, statusID)
	deltas, _, err3 := s.getDeltas(ctx)
	if err := errors.Join(err, err2, err3); err != nil {
		if c.trust.Number == 0 {
			return unavailable(err)
		}
		return nil // the lists of before, with their age
	}
	c.trust, c.status, c.deltas, c.read = trust, status, deltas, now
	return nil
}

var errNoList = kangma.E(kangma.Unavailable, "no_list", "no list has been signed yet; try again in a moment")

// TrustList gives the newest signed trust list. kangma.Unavailable: there is none yet.
func (s *Service) TrustList(ctx context.Context) (Signed, error) {
	return s.served(ctx, func(c *listCache) Signed { return c.trust })
}

// StatusList gives the newest signed status list. kangma.Unavailable: there is none yet.
func (s *Service) StatusList(ctx context.Context) (Signed, error) {
	return s.served(ctx, func(c *listCache) Signed { return c.status })
}

func (s *Service) served(ctx context.Context, which func(*listCache) Signed) (Signed, error) {
	s.lists.mu.Lock()
	err := s.refresh(ctx)
	l := which(&s.lists)
	s.lists.mu.Unlock()
	if err == nil && l.Number == 0 {
		if err = s.Publish(ctx); err == nil {
			s.lists.mu.Lock()
			err = s.refresh(ctx)
			l = which(&s.lists)
			s.lists.mu.Unlock()
		}
	}
	if err == nil && l.Number == 0 {
		err = errNoList
	}
	return l, err
}

// ForBundle gives the lists that a bundle signed by key holds: gates pin one key for all three. After that key was rotated they are
// signed again first. kangma.Unavailable: there are none yet.
func (s *Service) ForBundle(ctx context.Context, key crypto.Signer) (trust, status Signed, err error) {
	for range 2 {
		if trust, err = s.TrustList(ctx); err != nil {
			return trust, status, err
		}
		if status, err = s.StatusList(ctx); err != nil {
			return trust, status, err
		}
		if trust.by(key) && status.by(key) {
			return trust, status, nil
		}
		if err = s.Publish(ctx); err != nil {
			return trust, status, err
		}
		s.lists.mu.Lock()
		s.lists.read = time.Time{} // whoever has published
		s.lists.mu.Unlock()
	}
	return trust, status, errNoList
}

// StatusDelta gives the delta that applies to the list of a number. kangma.NotFound: there is none (the list is the
// newest, or too old): take the whole list.
func (s *Service) StatusDelta(ctx context.Context, from uint64) (Signed, error) {
	s.lists.mu.Lock()
	defer s.lists.mu.Unlock()
	if err := s.refresh(ctx); err != nil {
		return Signed{}, err
	}
	i := slices.IndexFunc(s.lists.deltas, func(d Signed) bool { return d.From == from })
	if i < 0 {
		return Signed{}, kangma.E(kangma.NotFound, "no_delta", "there is no delta from this list; take the whole list")
	}
	return s.lists.deltas[i], nil
}

// JWKS gives the keys of the newest trust list as a JSON Web Key Set, with the list it was made from.
func (s *Service) JWKS(ctx context.Context) ([]byte, Signed, error) {
	l, err := s.TrustList(ctx)
	if err != nil {
		return nil, l, err
	}
	_, trusted, err := s.keys.ListKey(s.now())
	if err != nil {
		return nil, l, unavailable(err)
	}
	set, err := codegen.TrustList{Keys: trusted}.JWKS()
	return set, l, err
}

func pinOf(key crypto.Signer) []*ecdsa.PublicKey {
	if pub, ok := key.Public().(*ecdsa.PublicKey); ok {
		return []*ecdsa.PublicKey{pub}
	}
	return nil
}

// Run publishes and logs until ctx ends: lists every two seconds if due, counts every ten minutes (flush is then called
// too, to count the keys' own signatures after the log). It returns when ctx ends.
func (s *Service) Run(ctx context.Context, flush func(context.Context)) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	logged := time.Now()
	for {
		if err := s.Publish(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("lists of gates", "err", err)
		}
		if time.Since(logged) >= countEach {
			logged = time.Now()
			flush(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const countEach = 10 * time.Minute
