package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

var cst = time.FixedZone("CST", 8*3600)

// variant gives the preset with another window and version and, where strict, a rule that nobody escapes.
func variant(t testing.TB, window, version string, strict bool) registry.Publication {
	t.Helper()
	text := string(preset(t))
	swap := func(old, new string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the preset has no %q any more; change this test", old)
		}
		text = strings.Replace(text, old, new, 1)
	}
	swap("in_force: {from: 2022-06-28, to: 2022-11-11}", "in_force: {"+window+"}")
	swap(`version: "2022-06-28"`, `version: "`+version+`"`)
	if strict {
		swap("\nrules:\n", `
rules:
  - id: everybody
    colour: yellow
    when: 'true'
    since: person.registered()
    until: person.registered() + duration('2160h')
    reason: {zh: 人人黄码, en: everybody is yellow}
    guidance: {zh: 等待, en: wait}
    clears: {zh: 无, en: nothing}
`)
	}
	return registry.Publication{Name: version, YAML: []byte(text)}
}

func (w *town) publish(t *testing.T, p registry.Publication) registry.Published {
	t.Helper()
	done, held, err := w.ProposeRules(t.Context(), anna, p)
	if err != nil || held != nil {
		t.Fatalf("%+v %+v %v", done, held, err)
	}
	return done
}

// planned gives what is planned as text.
func planned(t *testing.T, s *registry.Service) (lines string) {
	t.Helper()
	all, err := s.Planned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		lines += p.Rules.Version + " " + p.From.In(cst).Format(time.RFC3339) + " " + p.To.In(cst).Format(time.RFC3339) + " " + p.State + "\n"
	}
	return lines
}

func TestARuleSetPublishedTodayTakesOverTomorrowAtMidnightOnEveryNode(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	other := w.second(t, "other")
	defer func() {
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 11", "城区/甲小区")); err != nil {
		t.Fatal(err)
	}
	w.publish(t, variant(t, "from: 2022-06-28", "old", false))
	id := w.people(t, 1, "乙小区")[0]
	midnight := time.Date(2022, 8, 12, 0, 0, 0, 0, cst)
	pub := variant(t, "from: 2022-08-12", "new", true)
	pub.Floor = 1
	if done := w.publish(t, pub); done.State != "scheduled" || !done.From.Equal(midnight) {
		t.Fatalf("%+v", done)
	}
	eventually(t, "the other node knows of it", func() bool { return other.NextActivation().Equal(midnight) })
	for _, s := range []*registry.Service{w.Service, other} {
		for at, want := range map[time.Time]string{now: "old", midnight.Add(-time.Microsecond): "old", midnight: "new", midnight.AddDate(0, 2, 0): "new"} {
			a, _, err := s.Assess(t.Context(), id, at)
			if err != nil || !a.Told || a.Rules.Version != want || (a.Colour == kangma.Green) != (want == "old") {
				t.Errorf("at %v: %+v %v, want rules %q", at, a, err, want)
			}
			if want == "old" && !a.NextChange.Equal(midnight) {
				t.Errorf("the answer changes next at %v, want midnight", a.NextChange)
			}
		}
	}
	w.at(midnight)
	if ref, _, _ := w.InForce(); ref.Version != "new" || !w.NextActivation().IsZero() {
		t.Errorf("at midnight %+v is in force", ref)
	}
	if c := w.colourAt(t, id, midnight); c != "yellow" {
		t.Errorf("at midnight: %s", c)
	}
}

func TestTwoRuleSetsAreNeverInForceAtOnce(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	refused := func(what string, p registry.Publication) {
		t.Helper()
		before := planned(t, w.Service)
		_, _, err := w.ProposeRules(ctx, anna, p)
		var e *kangma.Error
		if !errors.As(err, &e) || e.Code != "rules_overlap" || e.Kind != kangma.Conflict || len(e.Faults) == 0 {
			t.Errorf("%s: %v", what, err)
		}
		if after := planned(t, w.Service); after != before {
			t.Errorf("%s: refused, yet\n%s became\n%s", what, before, after)
		}
	}
	other := func(p registry.Publication) registry.Publication {
		p.YAML = []byte(strings.Replace(string(p.YAML), "id: national-9th-2022", "id: other-rules", 1))
		return p
	}
	w.publish(t, variant(t, "from: 2022-06-28, to: 2022-11-11", "a", false))
	refused("another set inside a closed window", other(variant(t, "from: 2022-08-20, to: 2022-09-01", "b", false)))
	refused("another set now", other(variant(t, "from: 2022-06-28", "b", false)))
	w.publish(t, other(variant(t, "from: 2022-11-11", "c", false)))          // follows without a gap
	w.publish(t, variant(t, "from: 2022-08-20, to: 2022-09-01", "d", false)) // a new version of the same set ends the old one
	refused("another version that begins with one already planned", variant(t, "from: 2022-08-20", "e", false))
	refused("what would still be in force when the planned one begins", variant(t, "from: 2022-06-28", "f", false))
	want := "a 2022-06-28T00:00:00+08:00 2022-08-20T00:00:00+08:00 in_force\nd 2022-08-20T00:00:00+08:00 2022-09-01T00:00:00+08:00 scheduled\n"
	if got := planned(t, w.Service); !strings.HasPrefix(got, want) {
		t.Errorf("planned:\n%swant\n%s", got, want)
	}
	p := other(variant(t, "from: 2022-07-01, to: 2022-10-01", "g", false))
	p.Supersede = true
	w.publish(t, p)
	want = "a 2022-06-28T00:00:00+08:00 2022-08-11T12:00:00+08:00 over\ng 2022-08-11T12:00:00+08:00 2022-10-01T00:00:00+08:00 in_force\nc 2022-11-11T"
	if got := planned(t, w.Service); !strings.HasPrefix(got, want) {
		t.Errorf("superseded:\n%swant\n%s", got, want)
	}
	if _, _, err := w.ProposeRules(ctx, anna, variant(t, "from: 2022-01-01, to: 2022-02-01", "z", false)); kangma.CodeOf(err) != "not_in_force" {
		t.Errorf("a window that is over: %v", err)
	}
}

func TestARollBackRestoresThePlanExactly(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	var states []string
	for i, p := range []registry.Publication{
		variant(t, "from: 2022-06-28", "1", false), variant(t, "from: 2022-08-20", "2", false),
		variant(t, "from: 2022-07-01, to: 2022-08-15", "3", false), variant(t, "from: 2022-08-16, to: 2022-08-19", "4", false),
	} {
		w.at(now.Add(time.Duration(i) * time.Minute))
		w.publish(t, p)
		states = append(states, planned(t, w.Service))
	}
	for i := len(states) - 2; i >= 0; i-- {
		if _, err := w.RollBackRules(ctx); err != nil {
			t.Fatal(err)
		}
		got := planned(t, w.Service)
		if i == 1 || i == 0 { // what really was in force for a minute stays in the past
			got = strings.ReplaceAll(got, "3 2022-08-11T12:02:00+08:00 2022-08-11T12:03:00+08:00 over\n", "")
			got = strings.ReplaceAll(got, "1 2022-06-28T00:00:00+08:00 2022-08-11T12:02:00+08:00 over\n1 2022-08-11T12:03:00+08:00", "1 2022-06-28T00:00:00+08:00")
		}
		if got != states[i] {
			t.Errorf("after %d roll-backs:\n%swant\n%s", len(states)-1-i, got, states[i])
		}
		if err := w.Reload(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.RollBackRules(ctx); !errors.Is(err, kangma.Conflict) {
		t.Errorf("the first publication would leave nobody a colour: %v", err)
	}
}

func TestTheBreakerWeighsAPlannedRuleSetAtItsMomentAndAgainShortlyBefore(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	if _, err := w.PublishAreas(ctx, list("2022-08-08 11", "城区/甲小区")); err != nil {
		t.Fatal(err)
	}
	w.publish(t, variant(t, "from: 2022-06-28", "old", false))
	ids := w.people(t, 30, "乙小区")
	done, held, err := w.ProposeRules(ctx, anna, variant(t, "from: 2022-08-12", "new", true))
	if err != nil || held == nil || held.Verdict.Share != 1 || done.State != "held" {
		t.Fatalf("%+v %+v %v", done, held, err)
	}
	if !w.NextActivation().IsZero() {
		t.Error("held, yet planned")
	}
	if _, err := w.Decide(ctx, held.ID, cora, true); err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2022, 8, 12, 0, 0, 0, 0, cst)
	if !w.NextActivation().Equal(midnight) {
		t.Errorf("released: next activation %v", w.NextActivation())
	}
	w.at(midnight.Add(-time.Minute))
	if held, err := w.CheckActivations(ctx, time.Hour); err != nil || len(held) != 0 || !w.NextActivation().Equal(midnight) {
		t.Errorf("two persons released it: %+v %v", held, err)
	}
	if c := w.colourAt(t, ids[0], midnight); c != "yellow" {
		t.Errorf("at midnight %s", c)
	}

	// one that changed nobody when it was published, and would change everybody by now
	if _, err := w.RollBackRules(ctx); err != nil {
		t.Fatal(err)
	}
	w.at(now)
	pub := variant(t, "from: 2022-08-12", "newer", true)
	pub.Floor = 1000
	w.publish(t, pub)
	w.at(midnight.Add(-time.Minute))
	again, err := w.CheckActivations(ctx, time.Hour)
	if err != nil || len(again) != 1 || again[0].Requested != anna || !w.NextActivation().IsZero() {
		t.Fatalf("%+v %v, next %v", again, err, w.NextActivation())
	}
	if c := w.colourAt(t, ids[0], midnight.Add(time.Hour)); c != "green" {
		t.Errorf("held shortly before, yet %s", c)
	}
	if _, err := w.Decide(ctx, again[0].ID, cora, true); err != nil {
		t.Fatal(err)
	}
	if c := w.colourAt(t, ids[0], midnight.Add(time.Hour)); c != "yellow" {
		t.Errorf("released at last, yet %s", c)
	}
}

func (w *town) colourAt(t *testing.T, id kangma.PersonID, at time.Time) string {
	t.Helper()
	a, _, err := w.Assess(t.Context(), id, at)
	if err != nil || !a.Told {
		t.Fatalf("%+v %v", a, err)
	}
	return a.Colour.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
