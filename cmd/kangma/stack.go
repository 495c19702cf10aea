package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/keystore"
	"github.com/kangma/kangma/keystore/presign"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/replica"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/ship"
)

// evidenceRetention is how far back evidence is taken in.
const evidenceRetention = 60 * 24 * time.Hour

// stack is everything opened under one data folder, in the order it was opened.
type stack struct {
	keys        *keystore.Store
	journal     *journal.Journal
	dossiers    store.Dossiers
	records     store.Records
	redis       *redis.DB     // nil: the state is embedded
	replica     *replica.Copy // of a state in Redis, for when that does not answer; nil: none
	embedded    *embedded.DB
	warehouse   store.Warehouse
	registry    *registry.Service
	checkpoint  *checkpoint.Service
	codes       *codes
	nonces      *presign.Stock // nil: none
	issuance    *issuance.Service
	node        string
	touched     issuance.Touched                         // whose dossiers this node changed
	unaccounted atomic.Pointer[map[codegen.KeyID]uint64] // of the last reconciliation
	shipper     *ship.Shipper                            // while serving
	snapshots   *snapshotter                             // while serving
	ager        *registry.Ager                           // while serving
	region      kangma.Division
	busy        func() api.Load // while serving
	answering   atomic.Pointer[api.Server]
	warmth      *warmth // while serving
	closers     []func() error
}

// openStack opens keys, journal, stores and services under dir, creating what is not there. Close in any case.
func openStack(ctx context.Context, c *cli, region kangma.Division, log *slog.Logger) (s *stack, err error) {
	s = &stack{region: region, node: c.Node}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return s, err
	}
	if err := c.refuseUnfinished(); err != nil {
		return s, err
	}
	if err := s.openKeys(c); err != nil {
		return s, err
	}
	sealer, err := s.sealer()
	if err != nil {
		return s, err
	}
	if err := s.openStores(ctx, c, log); err != nil {
		return s, err
	}
	cfg := registry.Config{
		Node: c.Node, Journal: s.journal, Dossiers: s.touched.Watch(s.dossiers), Records: s.records, Sealer: sealer,
		Now: time.Now, Retention: evidenceRetention, Breaker: backtest.Breaker{Limit: c.BreakerLimit}, Log: log,
	}
	if s.redis != nil {
		cfg.Shared = s.redis
	}
	if s.replica != nil {
		cfg.LastKnown = s.replica
	}
	s.registry, err = registry.Open(ctx, cfg)
	if kangma.CodeOf(err) == "journal_damaged" {
		return s, kangma.E(kangma.Conflict, "journal_damaged", "the journal is damaged where the state has not got to yet: run kangma repair").Because(err)
	}
	if kangma.CodeOf(err) == "journal_gone" {
		return s, kangma.E(kangma.Conflict, "state_too_old", "the state is older than the journal reaches back: run kangma rebuild").Because(err)
	}
	if err != nil {
		return s, err
	}
	s.onClose(func() error { return s.registry.Close(context.WithoutCancel(ctx)) })
	if err := refuseOlderJournal(s.registry.Applied(), s.journal); err != nil {
		return s, err
	}
	if s.codes, err = openCodes(s.keys, region); err != nil {
		return s, fmt.Errorf("codes: %w", err)
	}
	s.checkpoint = checkpoint.New(s.registry, s.codes)
	s.checkpoint.OpenQueues(s.codes)
	if s.redis != nil {
		s.checkpoint.ShareProofs(s.redis)
		s.checkpoint.ShareShown()
	}
	return s, s.openIssuance(ctx, log)
}

func (s *stack) onClose(f func() error) { s.closers = append(s.closers, f) }

// Close closes in reverse order and joins the errors.
func (s *stack) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// openKeys opens the key store, making what is due and missing.
func (s *stack) openKeys(c *cli) (err error) {
	var regions []kangma.Division
	if s.region != 0 {
		regions = append(regions, s.region)
	}
	s.keys, err = keystore.Open(c.keysDir(), keystore.Options{Now: time.Now(), Regions: regions})
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	s.onClose(s.keys.Close)
	return nil
}

// sealer makes the sealer of identities from the key store's secrets.
func (s *stack) sealer() (*seal.Sealer, error) {
	var secrets [3][32]byte
	var err error
	for i, name := range []string{keystore.SecretSealing, keystore.SecretIndex, keystore.SecretPseudonym} {
		if secrets[i], err = s.keys.Secret(name); err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
	}
	kek, err := seal.NewKEKs("file-1", map[string][seal.KeySize]byte{"file-1": secrets[0]})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return seal.New(seal.Keys{KEK: kek, Index: [][seal.KeySize]byte{secrets[1]}, Pseudonym: secrets[2]})
}
