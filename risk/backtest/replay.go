package backtest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// Evaluator is what is replayed; *rules.Set is one. One that also has Brief, as *rules.Set, is asked for that.
type Evaluator interface {
	Evaluate(rules.Input) kangma.Assessment
	Ref() kangma.RuleSetRef
}

// Side is one of the two worlds that are compared.
type Side struct {
	Rules   Evaluator    // nil: no rule set in force, nobody has a colour
	Areas   *areas.Table // nil: no table
	Without string       // a batch of evidence that does not count on this side; empty: none
}

// Source gives the people in chunks, which are read by several goroutines at once, each chunk by one. A dossier is only
// valid during yield and must not be kept; Each returns nil when yield returns false. The people and their order inside
// a chunk must be the same at every reading.
type Source interface {
	Chunks() int
	Each(ctx context.Context, chunk int, yield func(*kangma.Dossier) bool) error
}

// Config says what to replay.
type Config struct {
	Old, New Side
	From     time.Time // the first day is the one that holds From in its own zone
	Days     int       // how many days, at least 1 and at most 1000
	Hour     int       // hour of the day at which everyone is asked, 0 to 23; 8 is when codes are shown most
	// Hindsight: every day is judged by all evidence and lists there are. Otherwise by what was received and published
	// by then, as codes were shown.
	Hindsight bool
	District  func(*kangma.Dossier) kangma.Division // nil: the county of residence, or the finest there is above it
	K         int                                   // counts below K people are hidden; 0: 10
	Cost      Cost
	Workers   int                // 0: one a processor
	Progress  func(people int64) // called now and then with how many people are done; may be called concurrently
}

// Cost is what a day in a colour costs, in units the user names, for the cost figure of a report.
type Cost struct {
	RedDay    float64 `json:"red_day"`
	YellowDay float64 `json:"yellow_day"`
	Unit      string  `json:"unit,omitempty"`
}

// Run replays both sides over everyone from src and gives the report. It stops early with ctx's error when that is
// cancelled, and with the source's error when that fails; then there is no report.
func Run(ctx context.Context, src Source, cfg Config) (*Report, error) {
	if cfg.Days < 1 || cfg.Days > 1000 || cfg.Hour < 0 || cfg.Hour > 23 || cfg.From.IsZero() {
		return nil, kangma.E(kangma.Invalid, "backtest_window", "a back-test runs over 1 to 1000 days from a given day, at an hour from 0 to 23")
	}
	if cfg.District == nil {
		cfg.District = homeCounty
	}
	days := make([]time.Time, cfg.Days)
	y, m, d := cfg.From.Date()
	for i := range days {
		days[i] = time.Date(y, m, d+i, cfg.Hour, 0, 0, 0, cfg.From.Location())
	}
	var (
		next  atomic.Int64
		done  atomic.Int64
		mu    sync.Mutex
		total = newTally(len(days))
	)
	workers := cfg.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	for range min(workers, max(1, src.Chunks())) {
		group.Go(func() error {
			w := newWorker(&cfg, days)
			for {
				chunk := int(next.Add(1)) - 1
				if chunk >= src.Chunks() {
					break
				}
				if err := w.chunk(ctx, src, chunk, &done); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(w.tally)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return total.report(&cfg, days), nil
}

// homeCounty is the county of residence, or the city or province where no finer is known.
func homeCounty(d *kangma.Dossier) kangma.Division {
	if h := d.Home.Division; h.Rank() == kangma.Street {
		return h.County()
	}
	return d.Home.Division
}

// every is how many people are replayed between two looks at ctx and two calls of Progress.
const every = 256

// chunk replays one chunk.
func (w *worker) chunk(ctx context.Context, src Source, chunk int, done *atomic.Int64) error {
	n := int64(0)
	tell := func() {
		if all := done.Add(n); w.cfg.Progress != nil && n > 0 {
			w.cfg.Progress(all)
		}
		n = 0
	}
	stopped := ctx.Err()
	if stopped != nil {
		return stopped
	}
	err := src.Each(ctx, chunk, func(d *kangma.Dossier) bool {
		w.person(d)
		if n++; n < every {
			return true
		}
		tell()
		stopped = ctx.Err()
		return stopped == nil
	})
	tell()
	if stopped != nil {
		return stopped
	}
	return err
}
