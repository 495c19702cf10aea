package registry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// sweptTown has 40 people made red by a stay, 12 of another county, rules in force, and was swept before they came.
func sweptTown(t *testing.T) (w *town, red []kangma.PersonID) {
	t.Helper()
	w = open(t, t.TempDir())
	w.at(now.Add(-time.Minute))
	w.sweep(t, nil)
	w.at(now)
	return w, w.fill(t)
}

func (w *town) fill(t *testing.T) (red []kangma.PersonID) {
	t.Helper()
	if _, err := w.PublishRules(t.Context(), "x", preset(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 11", "海丰县/乙小区")); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		r := registration(t, 100+i)
		r.Home.Division = 441521000
		if i >= 28 {
			r.Home.Division = 441502000
		}
		id, _, err := w.Register(t.Context(), r)
		if err == nil {
			err = w.Submit(t.Context(), registry.Item{Person: id, Evidence: stayAt("乙小区", now.Add(-24*time.Hour))})
		}
		if err != nil {
			t.Fatal(err)
		}
		red = append(red, id)
	}
	return red
}

func TestTheFirstSweepOnlyNotesHowEverybodyStands(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	red := w.fill(t)
	if l, err := w.NotGreen(t.Context(), 0); err != nil || !l.AsOf.IsZero() || len(l.People) != 0 {
		t.Errorf("before the first sweep: %+v %v", l, err)
	}
	found := map[kangma.PersonID][]registry.Transition{}
	if st := w.sweep(t, found); st.People != 40 || st.Changed != 0 || len(found) != 0 {
		t.Errorf("nobody had seen a colour before, yet %d were told: %+v", len(found), st)
	}
	if l, err := w.NotGreen(t.Context(), 0); err != nil || len(l.People) != len(red) || l.AsOf.IsZero() {
		t.Errorf("%d people as of %v, %v; want all %d", len(l.People), l.AsOf, err, len(red))
	}
	d, err := w.Dossier(t.Context(), red[0])
	if err != nil {
		t.Fatal(err)
	}
	back := kangma.Evidence{ID: kangma.NewEventID(now), Kind: kangma.KindWithdrawal, Observed: now, Source: "cdc"}
	back.Withdrawal = &kangma.Withdrawal{Event: d.Evidence[0].ID}
	if err := w.Submit(t.Context(), registry.Item{Person: red[0], Evidence: back}); err != nil {
		t.Fatal(err)
	}
	w.sweep(t, found)
	if len(found) != 1 || len(found[red[0]]) != 1 || found[red[0]][0].From.String() != "red" || found[red[0]][0].To.String() != "green" {
		t.Errorf("the second sweep found %+v", found)
	}
}

func TestASweepAsksBeforeEveryPageWhetherItMayGoOn(t *testing.T) {
	w, _ := sweptTown(t)
	defer w.close(t)
	asked, busy := 0, errors.New("busy")
	_, err := w.Sweep(t.Context(), registry.SweepConfig{Yield: func(context.Context) error {
		if asked++; asked > 5 {
			return busy
		}
		return nil
	}})
	if !errors.Is(err, busy) || asked != 6 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	if st, err := w.SweepStatus(t.Context()); err != nil || st.Until.IsZero() {
		t.Errorf("it goes on next time: %+v %v", st, err)
	}
}

func (w *town) sweep(t *testing.T, found map[kangma.PersonID][]registry.Transition) registry.SweepState {
	t.Helper()
	st, err := w.Sweep(t.Context(), registry.SweepConfig{Found: func(_ context.Context, ts []registry.Transition) error {
		for _, x := range ts {
			found[x.Person] = append(found[x.Person], x)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestASweepFindsEveryTransitionOnceAndGoesOnWhereItWasStopped(t *testing.T) {
	w, red := sweptTown(t)
	stop, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := w.Sweep(stop, registry.SweepConfig{Progress: func(s registry.SweepState) {
		if s.People >= 10 {
			cancel()
		}
	}})
	if err == nil {
		t.Fatal("the sweep was not stopped")
	}
	if st, err := w.SweepStatus(t.Context()); err != nil || st.Until.IsZero() || st.Progress() >= 1 {
		t.Errorf("stopped: %+v %v", st, err)
	}
	dir := w.dir
	w.close(t)
	w = open(t, dir) // as after a crash
	defer w.close(t)
	found := map[kangma.PersonID][]registry.Transition{}
	st := w.sweep(t, found)
	if st.People != int64(len(red)) || st.Changed != int64(len(red)) {
		t.Errorf("state %+v", st)
	}
	for _, id := range red {
		notices, err := w.Notices(t.Context(), id)
		if err != nil || len(notices) != 1 {
			t.Fatalf("%d notices, %v; want one", len(notices), err)
		}
		if n := notices[0]; n.From != "untold" || n.To != "red" || n.Rule == "" || n.Why.Zh == "" || n.Guidance.En == "" || !strings.Contains(n.Text.Zh, "红码") {
			t.Errorf("%+v", n)
		}
	}
	clear(found)
	if st := w.sweep(t, found); len(found) != 0 || st.Changed != 0 {
		t.Errorf("nothing changed, yet %d found", len(found))
	}
}

func TestASweepFeedsTheListOfWhoIsNotGreen(t *testing.T) {
	w, red := sweptTown(t)
	defer w.close(t)
	ctx := t.Context()
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	all, err := w.NotGreen(ctx, 0)
	if err != nil || len(all.People) != len(red) || !all.AsOf.Equal(now) {
		t.Fatalf("%d people as of %v, %v", len(all.People), all.AsOf, err)
	}
	for _, g := range all.People {
		if !slices.Contains(red, g.Person) || g.Standing.String() != "red" {
			t.Errorf("%+v", g)
		}
	}
	for region, want := range map[kangma.Division]int{441521000: 28, 441502000: 12, 441500000: 40, 440000000: 40, 110000000: 0} {
		if l, err := w.NotGreen(ctx, region); err != nil || len(l.People) != want {
			t.Errorf("%v: %d people, %v; want %d", region, len(l.People), err, want)
		}
	}

	// one is taken back, one erased, one new: the next sweep tells of the first only, and of the new one's colour
	back := kangma.Evidence{ID: kangma.NewEventID(now), Kind: kangma.KindWithdrawal, Observed: now, Source: "cdc"}
	d, err := w.Dossier(ctx, red[0])
	if err != nil {
		t.Fatal(err)
	}
	back.Withdrawal = &kangma.Withdrawal{Event: d.Evidence[0].ID}
	fresh, _, err1 := w.Register(ctx, registration(t, 500))
	if err := errors.Join(err1, w.Submit(ctx, registry.Item{Person: red[0], Evidence: back}), w.Erase(ctx, red[1])); err != nil {
		t.Fatal(err)
	}
	found := map[kangma.PersonID][]registry.Transition{}
	w.sweep(t, found)
	if len(found) != 1 || len(found[red[0]]) != 1 || found[red[0]][0].From.String() != "red" || found[red[0]][0].To.String() != "green" {
		t.Errorf("found %+v; %v is new and green, which is no news", found, fresh)
	}
	next, err := w.NotGreen(ctx, 0)
	if err != nil || len(next.People) != len(red)-2 || next.Revision <= all.Revision {
		t.Errorf("%d people, revision %d after %d, %v", len(next.People), next.Revision, all.Revision, err)
	}
	if n, err := w.Notices(ctx, red[1]); err != nil || len(n) != 0 {
		t.Errorf("the erased person's inbox still holds %d, %v", len(n), err)
	}
	if n, err := w.Notices(ctx, red[0]); err != nil || len(n) != 2 || n[0].To != "green" || n[1].To != "red" {
		t.Errorf("newest first: %+v %v", n, err)
	}
}

func TestTransitionsAreCountedByHourAndDistrictWithoutShowingFew(t *testing.T) {
	w, _ := sweptTown(t)
	defer w.close(t)
	ctx := t.Context()
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	count := func(byDistrict bool, in ...kangma.Division) (n []int64, withheld int) {
		rows, withheld, err := w.Transitions(ctx, now.Add(-time.Hour), now.Add(time.Hour), byDistrict, in...)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if !r.Hour.Equal(now.Truncate(time.Hour)) || r.From != "untold" || r.To != "red" {
				t.Errorf("%+v", r)
			}
			n = append(n, r.People)
		}
		return n, withheld
	}
	if n, withheld := count(false); !slices.Equal(n, []int64{40}) || withheld != 0 {
		t.Errorf("all: %v, %d withheld", n, withheld)
	}
	if n, withheld := count(true); !slices.Equal(n, []int64{12, 28}) || withheld != 0 {
		t.Errorf("by district: %v, %d withheld", n, withheld)
	}
	if n, _ := count(true, 441502000); !slices.Equal(n, []int64{12}) {
		t.Errorf("one district: %v", n)
	}
	id, _, err := w.Register(ctx, registration(t, 600)) // a single person of an unknown district turns red
	if err == nil {
		err = w.Submit(ctx, registry.Item{Person: id, Evidence: stayAt("乙小区", now.Add(-24*time.Hour))})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.at(now.Add(time.Minute))
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	if n, withheld := count(true); !slices.Equal(n, []int64{28}) || withheld != 2 {
		t.Errorf("one alone: %v, %d withheld; its row and the smallest other one must not show", n, withheld)
	}
}

func TestTwoNodesDoNotSweepAtOnce(t *testing.T) {
	w, red := sweptTown(t)
	defer w.close(t)
	other := w.second(t, "other")
	defer func() {
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	busy := false
	st, err := w.Sweep(t.Context(), registry.SweepConfig{Progress: func(registry.SweepState) {
		_, err := other.Sweep(t.Context(), registry.SweepConfig{})
		busy = errors.Is(err, registry.ErrSweptElsewhere)
	}})
	if err != nil || st.People != int64(len(red)) || !busy {
		t.Errorf("%+v %v, the other was kept out: %v", st, err, busy)
	}
	if st, err := other.Sweep(t.Context(), registry.SweepConfig{}); err != nil || st.Changed != 0 {
		t.Errorf("afterwards: %+v %v", st, err)
	}
}
