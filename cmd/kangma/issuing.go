package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/keystore"
)

// openIssuance opens the issuing of credentials, paper codes and lists. Voided codes are refused by tools that issue
// nothing too.
func (s *stack) openIssuance(ctx context.Context, log *slog.Logger) error {
	short, err := s.keys.Secret(keystore.SecretShortCode)
	if err != nil {
		return err
	}
	region := s.region
	if region == 0 {
		region = 110000000 // issues nothing; only looks up
	}
	s.issuance, err = issuance.New(issuance.Config{Registry: s.registry, Keys: s.codes, Region: region, ShortKey: short, Node: s.node, Touched: &s.touched, Log: log})
	if err != nil {
		return err
	}
	s.checkpoint.AskStanding(s.issuance)
	if s.region != 0 {
		s.onClose(func() error { return s.count(context.WithoutCancel(ctx)) })
	}
	return nil
}

// count writes down what was issued and then what the keys have signed, in this order.
func (s *stack) count(ctx context.Context) error {
	return errors.Join(s.issuance.Log(ctx), s.keys.Flush())
}

// reconcile compares what the keys had signed before the last count with what the log holds now, and says aloud what
// nobody issued.
func (s *stack) reconcile(ctx context.Context, log *slog.Logger) {
	before, err := s.signed()
	if err == nil {
		err = s.count(ctx)
	}
	if err != nil {
		log.Warn("count of codes", "err", err)
		return
	}
	logged, err := s.issuance.Logged(ctx)
	if err != nil {
		log.Warn("count of codes", "err", err)
		return
	}
	missing := issuance.Unaccounted(before, logged)
	for _, key := range slices.SortedFunc(maps.Keys(missing), func(a, b codegen.KeyID) int { return slices.Compare(a[:], b[:]) }) {
		log.Error("a signing key has made signatures that nobody issued: treat it as stolen (kangma keys rotate --withdraw)",
			"key", key.String(), "signatures", missing[key])
	}
	s.unaccounted.Store(&missing)
}

// signed gives what each key that signs codes has signed, as written down.
func (s *stack) signed() (map[codegen.KeyID]uint64, error) {
	keys, err := s.keys.Keys(s.registry.Now())
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	n := map[codegen.KeyID]uint64{}
	for _, k := range keys {
		if k.Purpose.ForCodes() { // lists are not codes
			n[k.ID] = k.Issued
		}
	}
	return n, nil
}
