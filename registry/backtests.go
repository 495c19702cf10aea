package registry

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// Backtest is a back-test over everyone stored, run in the background: record kind "backtest". Its report holds only counts
// of ten people or more.
type Backtest struct {
	ID        string            `json:"id"`
	New       kangma.RuleSetRef `json:"new"`
	Against   kangma.RuleSetRef `json:"against"`
	From      string            `json:"from"` // first day, YYYY-MM-DD
	Days      int               `json:"days"`
	Hindsight bool              `json:"hindsight"`
	Status    string            `json:"status"` // running, done, failed or cancelled; running without a beat for a minute: lost with its node
	People    int64             `json:"people"` // done so far
	Of        int64             `json:"of,omitempty"`
	Beat      time.Time         `json:"beat"`
	By        Actor             `json:"by"`
	At        time.Time         `json:"at"`
	Done      time.Time         `json:"done,omitzero"`
	Verdict   *backtest.Verdict `json:"verdict,omitempty"` // what the breaker would say
	Report    json.RawMessage   `json:"report,omitempty"`
	Error     string            `json:"error,omitempty"`
}

const (
	backtestKind = "backtest"
	backtestBeat = 2 * time.Second
	backtestLost = time.Minute
)

// ErrBacktestBusy says that a back-test runs on this node; they take every core there is.
var ErrBacktestBusy = kangma.E(kangma.TooMany, "backtest_busy", "a back-test is running; wait for it or cancel it")

// BacktestRequest says what to replay: YAML against the rule set in force.
type BacktestRequest struct {
	Name      string
	YAML      []byte
	From      time.Time // its day, in the zone of the rules
	Days      int
	Hindsight bool
}

// StartBacktest begins a back-test over everyone stored and returns at once. ReadBacktest says how far it is.
func (s *Service) StartBacktest(ctx context.Context, by Actor, req BacktestRequest) (Backtest, error) {
	set, err := rules.Load(req.Name, req.YAML)
	if err != nil {
		return Backtest{}, err
	}
	if req.Days < 1 || req.Days > 366 || req.From.IsZero() {
		return Backtest{}, kangma.E(kangma.Invalid, "backtest_window", "a back-test runs over 1 to 366 days from a given day")
	}
	if !s.replaying.TryLock() {
		return Backtest{}, ErrBacktestBusy
	}
	now := s.cfg.Now().UTC()
	b := Backtest{ID: kangma.NewEventID(now).String(), New: set.Ref(), From: req.From.Format(time.DateOnly), Days: req.Days,
		Hindsight: req.Hindsight, Status: "running", Beat: now, By: by, At: now}
	if st, err := s.SweepStatus(ctx); err == nil {
		b.Of = st.Whole
	}
	cfg := backtest.Config{New: backtest.Side{Rules: set, Areas: s.Areas()}, Old: backtest.Side{Areas: s.Areas()},
		From: req.From, Days: req.Days, Hour: 8, Hindsight: req.Hindsight}
	if old := s.Rules(); old != nil { // a nil set must stay a nil interface
		cfg.Old.Rules, b.Against = old, old.Ref()
	}
	if err := s.putBacktest(ctx, b); err != nil {
		s.replaying.Unlock()
		return b, err
	}
	s.done.Go(func() {
		defer s.replaying.Unlock()
		s.runBacktest(b, cfg)
	})
	return b, nil
}

// runBacktest replays, keeps how far it is, and ends when the service does or when somebody cancelled it.
func (s *Service) runBacktest(b Backtest, cfg backtest.Config) {
	ctx, cancel := context.WithCancel(s.run)
	defer cancel()
	var people atomic.Int64
	cfg.Progress = func(n int64) { people.Store(n) }
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		s.beatBacktest(ctx, cancel, b, &people)
	}()
	report, err := backtest.Run(ctx, s.People(), cfg)
	cancel()
	<-beats
	b.Beat, b.Done = s.cfg.Now().UTC(), s.cfg.Now().UTC()
	switch {
	case err == nil:
		v := report.Blast(s.cfg.Breaker)
		b.Status, b.People, b.Of, b.Verdict = "done", report.People, report.People, &v
		b.Report, err = json.Marshal(report)
	case errors.Is(err, context.Canceled):
		b.Status, b.People = "cancelled", people.Load()
	}
	if err != nil && b.Status != "cancelled" {
		b.Status, b.Error = "failed", kangma.CodeOf(err)
		s.log.Warn("back-test", "err", err)
	}
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	if err := s.putBacktest(end, b); err != nil {
		s.log.Error("the result of a back-test could not be kept", "id", b.ID, "err", err)
	}
}

// beatBacktest keeps the progress until ctx ends, and cancels where the record says so.
func (s *Service) beatBacktest(ctx context.Context, cancel func(), b Backtest, people *atomic.Int64) {
	tick := time.NewTicker(backtestBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, version, err := GetDoc[Backtest](ctx, s.cfg.Records, backtestKind, b.ID)
		if err == nil && now.Status == "cancelled" {
			cancel()
			return
		}
		b.People, b.Beat = people.Load(), s.cfg.Now().UTC()
		data, err := json.Marshal(b)
		if err == nil { // a conflict: it was cancelled this moment
			err = s.cfg.Records.Put(ctx, store.Record{Kind: backtestKind, ID: b.ID, Version: version + 1, Data: data})
		}
		if err != nil && !errors.Is(err, kangma.Conflict) && ctx.Err() == nil {
			s.log.Warn("the progress of a back-test could not be kept", "err", err)
		}
	}
}

func (s *Service) putBacktest(ctx context.Context, b Backtest) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	for range casAttempts {
		old, err := s.cfg.Records.Get(ctx, backtestKind, b.ID)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: backtestKind, ID: b.ID, Version: old.Version + 1, Data: data})
		if !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this document is being changed by many at once; try again")
}

// ReadBacktest says how far a back-test is, with its report when it is done. kangma.NotFound: there is none.
func (s *Service) ReadBacktest(ctx context.Context, id string) (Backtest, error) {
	b, _, err := GetDoc[Backtest](ctx, s.cfg.Records, backtestKind, id)
	if errors.Is(err, kangma.NotFound) {
		return b, kangma.E(kangma.NotFound, "no_backtest", "there is no such back-test")
	}
	if err != nil {
		return b, err
	}
	if b.Status == "running" && s.cfg.Now().Sub(b.Beat) > backtestLost {
		b.Status = "lost"
	}
	return b, nil
}

// CancelBacktest stops a running back-test, on whichever node it runs, within seconds.
func (s *Service) CancelBacktest(ctx context.Context, id string) error {
	b, err := s.ReadBacktest(ctx, id)
	if err != nil || b.Status != "running" {
		return err
	}
	b.Status = "cancelled"
	return s.putBacktest(ctx, b)
}

// BacktestReport gives the report of a back-test that is done. kangma.Conflict: it is not done.
func (s *Service) BacktestReport(ctx context.Context, id string) (*backtest.Report, error) {
	b, err := s.ReadBacktest(ctx, id)
	if err != nil {
		return nil, err
	}
	if b.Status != "done" {
		return nil, kangma.E(kangma.Conflict, "backtest_not_done", "the back-test is not done")
	}
	r := &backtest.Report{}
	if err := json.Unmarshal(b.Report, r); err != nil {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return r, nil
}
