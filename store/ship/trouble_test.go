package ship_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/wire"
)

func releases(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 50)
	others := store.Position(20)
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Others: func() store.Position { return others }})
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if got := j.Stats().Released; got != 20 {
		t.Errorf("released %d while another consumer was at 20", got)
	}
	stop()
	others = 1 << 40
	fill(t, j, source(), 1)
	s, stop = start(t, ship.Config{Journal: j, Warehouse: w, Others: func() store.Position { return others }})
	defer stop()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if got := j.Stats().Released; got != 51 {
		t.Errorf("released %d, want 51", got)
	}
}

func rolledBack(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 10)
	w.loaded = 11
	var e ears
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Alarm: e.hear})
	time.Sleep(time.Minute)
	fill(t, j, source(), 10)
	if err := s.Drain(t.Context()); !errors.Is(err, kangma.Unavailable) {
		t.Errorf("drain after Run gave up gave %v, want %v", err, kangma.Unavailable)
	}
	if err := stop(); !errors.Is(err, kangma.Conflict) || !errors.Is(err, ship.ErrRolledBack) {
		t.Errorf("run gave %v, want %v", err, ship.ErrRolledBack)
	}
	if !slices.Equal(e.heard(), []string{"rolled-back"}) || len(w.loads()) > 0 || s.Stats().Batches > 0 {
		t.Errorf("alarms %v, %d loads; want one alarm and none", e.heard(), len(w.loads()))
	}
}

func gap(t *testing.T, _ *journal.Journal, w *table) {
	j := newJournal(t, journal.Options{MaxSegmentBytes: 1000, Retention: time.Hour})
	fill(t, j, source(), 30)
	time.Sleep(2 * time.Hour)
	fill(t, j, source(), 30)
	j.Release(t.Context(), 30)
	if err := j.Retain(); err != nil {
		t.Fatal(err)
	}
	first := j.First()
	if first == 1 {
		t.Fatal("retention removed nothing")
	}
	var e ears
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Alarm: e.hear})
	defer stop()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	st := s.Stats()
	if st.Skipped != uint64(first-1) || st.Loaded != 60 || st.Entries != 61-uint64(first) || !slices.Contains(e.heard(), "gap") {
		t.Errorf("the journal begins at %d: %+v, alarms %v", first, st, e.heard())
	}
	j.Close()
}

func undecodable(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 5)
	p := passageAt(source())
	broken, other := wire.PassageEvent(p), wire.PassageEvent(p)
	broken.Data = broken.Data[:10]
	other.ID = kangma.NewEventID(p.At) // the passage inside has another id
	if _, err := j.Append(t.Context(), broken, other); err != nil {
		t.Fatal(err)
	}
	fill(t, j, source(), 5)
	var e ears
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Alarm: e.hear})
	defer stop()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if st := s.Stats(); st.Undecodable != 2 || st.Rows != 8 || !slices.Equal(e.heard(), []string{"undecodable"}) {
		t.Errorf("%d undecodable, %d rows, alarms %v; want 2, 8 and one", st.Undecodable, st.Rows, e.heard())
	}
}

func lag(t *testing.T, j *journal.Journal, w *table) {
	w.fail(100)
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Linger: time.Second})
	defer stop()
	fill(t, j, source(), 12)
	time.Sleep(time.Minute)
	if st := s.Stats(); st.Lag != 12 || st.LagTime != time.Minute || st.Last != 12 {
		t.Errorf("lag %d entries, %v, last %d; want 12, 1m0s and 12", st.Lag, st.LagTime, st.Last)
	}
	w.fail(0)
	time.Sleep(time.Minute)
	if st := s.Stats(); st.Lag != 0 || st.LagTime != 0 {
		t.Errorf("lag %d entries, %v when all is loaded", st.Lag, st.LagTime)
	}
}

func TestConfigOfAShipperIsChecked(t *testing.T) {
	j, w := newJournal(t, journal.Options{}), newTable(source(), 0)
	for name, cfg := range map[string]ship.Config{
		"no node":      {Journal: j, Warehouse: w},
		"no journal":   {Node: node, Warehouse: w},
		"no warehouse": {Node: node, Journal: j},
	} {
		if _, err := ship.New(cfg); !errors.Is(err, kangma.Invalid) {
			t.Errorf("%s: got %v, want %v", name, err, kangma.Invalid)
		}
	}
}
