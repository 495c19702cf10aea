// Package registry joins the rooms: it takes evidence in (journal first, then the dossier), assesses people with the
// rules and risk areas in force, and keeps the small documents (gates, accounts, rule sets). It decides nothing about a
// colour itself and knows no HTTP.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/seal"
)

// Config is what a Service is built from. Every field but Breaker, Shared, LastKnown, Patience and Log is required.
type Config struct {
	Node      string // this node's name: its journal's name in marks and in the warehouse
	Journal   store.Journal
	Dossiers  store.Dossiers
	Records   store.Records
	Sealer    *seal.Sealer
	Now       func() time.Time // the only clock in the package
	Retention time.Duration    // evidence observed before now minus this is refused
	Breaker   backtest.Breaker // holds what would recolour too many; the zero one at 0.1 %
	Shared    store.Shared     // what a state on a server can do besides; nil: it is embedded
	LastKnown LastKnown        // a copy of a state that other nodes share; nil: none
	Patience  time.Duration    // how long a proposal waits for its count before that goes on in the background; 0: 20 s
	Log       *slog.Logger     // nil: slog.Default
}

// Service is one node's registry. All methods may be called concurrently.
type Service struct {
	cfg       Config
	log       *slog.Logger
	current   atomic.Pointer[judgement]
	publish   sync.Mutex            // one publication of rules or areas at a time on this node; guards what follows
	compiled  map[string]*rules.Set // by rule-set record: they never change
	lists     map[string]bool       // area lists that are in the table in force
	epochs    map[string]uint64     // publications of rules and of areas that are in force here
	changed   chan struct{}         // see Changed
	applied   *tracker
	taking    atomic.Int64 // batches on their way between journal and dossiers
	failed    atomic.Bool  // one of them was journaled and could not be applied
	shown     shownMemory
	pending   pending
	noted     atomic.Uint64   // the mark as the store has it
	run       context.Context // ends with Close
	replaying sync.Mutex      // one back-test at a time
	stop      context.CancelFunc
	done      sync.WaitGroup
	onErase   []func(context.Context, kangma.PersonID) error
	carriers  map[string]Carrier
}

// OnErase adds what must let go of a person before they are erased. Call it before the service is in use.
func (s *Service) OnErase(f func(context.Context, kangma.PersonID) error) {
	s.onErase = append(s.onErase, f)
}

// Open checks the configuration, applies what the journal holds beyond the mark (healing a crash between append and
// apply), loads the rules and risk areas in force and starts the background applier. Close ends it.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Node == "" || cfg.Journal == nil || cfg.Dossiers == nil || cfg.Records == nil || cfg.Sealer == nil || cfg.Now == nil || cfg.Retention <= 0 {
		return nil, errors.New("registry: incomplete configuration")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Service{cfg: cfg, log: cfg.Log, compiled: map[string]*rules.Set{}, lists: map[string]bool{}, epochs: map[string]uint64{}, changed: make(chan struct{}, 1)}
	s.current.Store(&judgement{})
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	s.run, s.stop = run, stop
	s.done.Go(func() { s.applyLoop(run) })
	s.done.Go(func() { s.followLoop(run) })
	return s, nil
}

// begin heals and loads; without the state it goes on with what is known of it.
func (s *Service) begin(ctx context.Context) error {
	mark, err := s.mark(ctx)
	if s.away(ctx, err) {
		return s.beginWithout(ctx)
	}
	if err != nil {
		return fmt.Errorf("registry: read the applied mark: %w", err)
	}
	s.applied = newTracker(mark)
	s.noted.Store(uint64(mark))
	if err := s.heal(ctx); err != nil {
		return fmt.Errorf("registry: apply the journal: %w", err)
	}
	if err := s.Reload(ctx); err != nil {
		return fmt.Errorf("registry: load rules and areas: %w", err)
	}
	return nil
}

// Close stops the background work and writes the applied mark.
func (s *Service) Close(ctx context.Context) error {
	s.stop()
	s.done.Wait()
	return s.writeMark(ctx)
}

// Sealer gives what opens identities; only rooms above use it, for the masked name on a gate's screen.
func (s *Service) Sealer() *seal.Sealer { return s.cfg.Sealer }

// Now is the service's clock.
func (s *Service) Now() time.Time { return s.cfg.Now() }

// Retention is how far back evidence is taken in.
func (s *Service) Retention() time.Duration { return s.cfg.Retention }

// Node is this node's name.
func (s *Service) Node() string { return s.cfg.Node }
