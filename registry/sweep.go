package registry

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A sweep finds whose colour changed since the sweep before, for notices, offline lists and analytics. It keeps who was
// not green (standing.go) and compares: so a sweep may be late, stopped and resumed, evidence may come while it runs, and
// it still tells every change once. Nothing else reads what it keeps: colours are computed when they are read.

// Transition is one person whose answer changed between two sweeps. The first answer of somebody is one unless it is green.
// The first sweep of an installation finds none: it only notes how everybody stands, for nobody has seen a colour before it
// (after an import it would tell millions what is no news to them).
type Transition struct {
	Person   kangma.PersonID
	Home     kangma.Division
	From, To Standing
	Answer   kangma.Assessment // the new answer with its reasons
	At       time.Time
}

// SweepState is how far the sweep is, kept as the record "sweep"/"state".
type SweepState struct {
	Since     time.Time `json:"since"`             // the moment of the last whole sweep; zero: none
	Until     time.Time `json:"until,omitzero"`    // the moment of the sweep under way; zero: none is
	Node      string    `json:"node,omitempty"`    // which node sweeps
	Beat      time.Time `json:"beat,omitzero"`     // when it last said so
	Partition int       `json:"partition"`         // of the sweep under way
	People    int64     `json:"people"`            // done so far
	Changed   int64     `json:"changed"`           // found so far
	Whole     int64     `json:"whole,omitempty"`   // people of the last whole sweep, to say how far this one is
	Recolours int64     `json:"recolours"`         // transitions the last whole sweep found
	Finished  time.Time `json:"finished,omitzero"` // when the last whole sweep ended

	Counts []TransitionCount `json:"counts,omitempty"` // transitions found so far in the sweep under way
}

// Progress gives the share of people done, 0 to 1.
func (s SweepState) Progress() float64 {
	if s.Until.IsZero() {
		return 1
	}
	return float64(s.Partition) / store.Partitions
}

// SweepConfig bounds a sweep.
type SweepConfig struct {
	PerSecond int                                       // people looked at; 0: 20,000
	Yield     func(context.Context) error               // asked before every page: waits for whoever is more urgent; nil: nobody is
	Found     func(context.Context, []Transition) error // told of a page's transitions after their notices are kept; nil: nobody
	Progress  func(SweepState)                          // told after every page; nil: nobody
}

const (
	sweepKind    = "sweep"
	sweepDefault = 20_000
	sweepPage    = 200 // some milliseconds of one processor, so that nobody waits longer for it
	sweepBeat    = 5 * time.Second
	sweepSilence = time.Minute // a node that did not say so for this long does not sweep any more
)

// ErrSweptElsewhere says that another node sweeps; there is nothing to do here.
var ErrSweptElsewhere = kangma.E(kangma.Conflict, "swept_elsewhere", "another node is looking for colour changes now")

// sweeper is one run of Sweep.
type sweeper struct {
	*Service
	cfg     SweepConfig
	pace    *rate.Limiter
	st      SweepState
	version uint64
}

// Sweep runs one whole sweep, or goes on with the one that was stopped, and returns what it found. A transition may be
// told to Found again after a crash: Found is idempotent by person and At. The registry's own consumers (notices, the list
// of who is not green, the counts for analytics) have every transition once.
func (s *Service) Sweep(ctx context.Context, cfg SweepConfig) (SweepState, error) {
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = sweepDefault
	}
	w := &sweeper{Service: s, cfg: cfg, pace: rate.NewLimiter(rate.Limit(cfg.PerSecond), min(sweepPage, cfg.PerSecond))}
	if err := w.begin(ctx); err != nil {
		return w.st, err
	}
	for w.st.Partition < store.Partitions {
		if err := w.partition(ctx); err != nil {
			return w.st, err
		}
		w.st.Partition++
		if err := w.beat(ctx, w.st.Partition%32 == 0); err != nil {
			return w.st, err
		}
	}
	return w.end(ctx)
}

// begin reads the state and starts a new sweep where none is under way.
func (w *sweeper) begin(ctx context.Context) (err error) {
	w.st, w.version, err = GetDoc[SweepState](ctx, w.Service.cfg.Records, sweepKind, "state")
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	if w.st.Node != "" && w.st.Node != w.Node() && w.Now().UTC().Sub(w.st.Beat) < sweepSilence {
		return ErrSweptElsewhere
	}
	w.st.Node = w.Node()
	fresh, news := w.st.Until.IsZero(), false
	if fresh {
		select {
		case <-w.changed: // a sweep whose moment comes after it finds it; and what a start reads is no news
			news = true
		default:
		}
		// Not before: what is published from here on is not in force at this moment, and is swept for again.
		now := w.Now().UTC()
		if !now.After(w.st.Since) { // the clock stands or went back; yet every sweep has a moment of its own
			now = w.st.Since.Add(time.Microsecond)
		}
		w.st.Until, w.st.Partition, w.st.People, w.st.Changed, w.st.Counts = now, 0, 0, 0, nil
	}
	if err = w.beat(ctx, true); err != nil && news {
		w.wake()
	}
	return err
}

// beat notes how far the sweep is, now and then or at once. It is not journaled: losing it means only that a sweep is done
// again. Another node that took over in between is a Conflict.
func (w *sweeper) beat(ctx context.Context, atOnce bool) error {
	now := w.Now().UTC()
	if !atOnce && now.Sub(w.st.Beat) < sweepBeat {
		return nil
	}
	w.st.Beat = now
	data, err := json.Marshal(w.st)
	if err != nil {
		return err
	}
	err = w.Service.cfg.Records.Put(ctx, store.Record{Kind: sweepKind, ID: "state", Version: w.version + 1, Data: data})
	if errors.Is(err, kangma.Conflict) {
		return ErrSweptElsewhere
	}
	if err == nil {
		w.version++
	}
	return err
}

// partition looks at everyone of one partition and replaces its part. One that was replaced before a crash is not looked
// at again, so that everything is counted once.
func (w *sweeper) partition(ctx context.Context) error {
	old, version, err := w.part(ctx, w.st.Partition)
	if err != nil {
		return err
	}
	if old.At.Equal(w.st.Until) {
		w.count(old)
		return nil
	}
	next := part{At: w.st.Until}
	for after := (kangma.PersonID{}); ; {
		if w.cfg.Yield != nil {
			if err := w.cfg.Yield(ctx); err != nil {
				return err
			}
		}
		page, err := w.Service.cfg.Dossiers.Scan(ctx, w.st.Partition, after, w.pace.Burst())
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		if err := w.pace.WaitN(ctx, len(page)); err != nil {
			return err
		}
		if err := w.page(ctx, &old, &next, page); err != nil {
			return err
		}
		after = page[len(page)-1].Person
	}
	if len(next.Counts) > 0 || !slices.Equal(old.People, next.People) {
		if err := w.putPart(ctx, w.st.Partition, next, version); err != nil {
			return err
		}
	}
	w.count(next)
	return nil
}

// page compares one page of people and tells of those who changed.
func (w *sweeper) page(ctx context.Context, old, next *part, page []kangma.Dossier) error {
	now := w.current.Load()
	var found []Transition
	for i := range page {
		d := &page[i]
		if len(d.Sealed.DataKey) == 0 { // erased: nobody any more
			if old.has(d.Person) {
				if err := w.forgetNotices(ctx, d.Person); err != nil {
					return err
				}
			}
			continue
		}
		a := now.assess(d, w.st.Until, time.Time{})
		was, is := old.standing(d, w.st.Since), standingOf(a)
		if is != green {
			next.People = append(next.People, NotGreen{Person: d.Person, Home: d.Home.Division, Standing: is})
		}
		if was == is || was == (Standing{}) && is == green && !old.has(d.Person) || w.st.Since.IsZero() {
			continue
		}
		found = append(found, Transition{Person: d.Person, Home: d.Home.Division, From: was, To: is, Answer: a, At: w.st.Until})
	}
	next.Swept += int64(len(page))
	if len(found) > 0 {
		if err := w.tell(ctx, next, found); err != nil {
			return err
		}
	}
	if w.cfg.Progress != nil {
		st := w.st
		st.People, st.Changed = st.People+next.Swept, st.Changed+sum(next.Counts)
		w.cfg.Progress(st)
	}
	return w.beat(ctx, false)
}

func (w *sweeper) tell(ctx context.Context, next *part, found []Transition) error {
	if err := w.notify(ctx, found); err != nil {
		return err
	}
	for _, t := range found {
		next.Counts = addCount(next.Counts, TransitionCount{District: t.Home.County(), From: t.From.String(), To: t.To.String(), People: 1})
	}
	if w.cfg.Found == nil {
		return nil
	}
	return w.cfg.Found(ctx, found)
}

func (w *sweeper) count(p part) {
	if !p.At.Equal(w.st.Until) {
		return
	}
	w.st.People += p.Swept
	w.st.Changed += sum(p.Counts)
	for _, c := range p.Counts {
		w.st.Counts = addCount(w.st.Counts, c)
	}
}

// end keeps the counts for analytics and makes the sweep under way the last whole one.
func (w *sweeper) end(ctx context.Context) (SweepState, error) {
	done := w.st
	if err := w.keepCounts(ctx, done.Until, done.Counts); err != nil {
		return done, err
	}
	if err := w.forgetQuarantine(ctx); err != nil {
		return done, err
	}
	w.st.Since, w.st.Until, w.st.Partition, w.st.Counts, w.st.Node = done.Until, time.Time{}, 0, nil, ""
	w.st.Whole, w.st.Recolours, w.st.Finished = done.People, done.Changed, w.Now().UTC()
	return done, w.beat(ctx, true)
}

// SweepStatus says how far the sweep is.
func (s *Service) SweepStatus(ctx context.Context) (SweepState, error) {
	st, _, err := GetDoc[SweepState](ctx, s.cfg.Records, sweepKind, "state")
	if errors.Is(err, kangma.NotFound) {
		return st, nil
	}
	return st, err
}
