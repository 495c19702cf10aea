package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/rules"
)

var (
	anna = registry.Actor{Account: "anna", Organisation: "data bureau"}
	bob  = registry.Actor{Account: "bob", Organisation: "data bureau"}
	cora = registry.Actor{Account: "cora", Organisation: "health commission"}
)

func preset(t testing.TB) []byte {
	t.Helper()
	raw, err := rules.PresetFile("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// list writes an official list whose one high-risk community is given, as county/community.
func list(at, where string) []byte {
	county, high, _ := strings.Cut(where, "/")
	return fmt.Appendf(nil, `{"data":{"end_update_time":"%[1]s时","hcount":1,"mcount":0,"lcount":0,"highlist":[{"type":"2","province":"广东省","city":"汕尾市",
	"county":"%[2]s","area_name":"广东省 汕尾市 %[2]s","communitys":["%[3]s"]}],"middlelist":[],"lowlist":[]},"code":0,"msg":"查询成功"}`, at, county, high)
}

func stayAt(community string, at time.Time) kangma.Evidence {
	return kangma.Evidence{ID: kangma.NewEventID(at), Kind: kangma.KindStay, Observed: at, Reported: at, Source: "cdc",
		Stay: &kangma.Stay{Place: kangma.Place{Division: 441521000, Community: community}, From: at, To: at.Add(time.Hour)}}
}

// people registers n people who stayed in a community yesterday.
func (w *town) people(t *testing.T, n int, community string) (ids []kangma.PersonID) {
	t.Helper()
	for i := range n {
		id, _, err := w.Register(t.Context(), registration(t, 100+i))
		if err == nil {
			err = w.Submit(t.Context(), registry.Item{Person: id, Evidence: stayAt(community, now.Add(-24*time.Hour))})
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func (w *town) colour(t *testing.T, id kangma.PersonID) string {
	t.Helper()
	a, _, err := w.Assess(t.Context(), id, now)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Told {
		return string(a.CannotTell)
	}
	return a.Colour.String()
}

func TestAListThatRecoloursManyIsHeldForASecondPersonAndUndoneExactly(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	if _, err := w.PublishRules(ctx, "x", preset(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishAreas(ctx, list("2022-08-08 11", "城区/甲小区")); err != nil {
		t.Fatal(err)
	}
	ids := w.people(t, 30, "乙小区")
	if c := w.colour(t, ids[0]); c != "green" {
		t.Fatalf("before: %s", c)
	}
	_, before, _ := w.InForce()
	_, held, err := w.ProposeAreas(ctx, anna, time.Time{}, list("2022-08-09 11", "海丰县/乙小区"))
	if err != nil || held == nil || held.Verdict.Share != 1 {
		t.Fatalf("held %+v, %v", held, err)
	}
	if c := w.colour(t, ids[0]); c != "green" {
		t.Errorf("held, yet in force: %s", c)
	}
	for what, by := range map[string]registry.Actor{"the same person": anna, "the same organisation": bob, "nobody": {}} {
		if _, err := w.Decide(ctx, held.ID, by, true); !errors.Is(err, kangma.Forbidden) {
			t.Errorf("released by %s: %v", what, err)
		}
	}
	if _, err := w.Decide(ctx, held.ID, cora, true); err != nil {
		t.Fatal(err)
	}
	if c := w.colour(t, ids[0]); c != "red" {
		t.Errorf("released: %s, want red", c)
	}
	if _, err := w.Decide(ctx, held.ID, cora, false); !errors.Is(err, kangma.Conflict) {
		t.Errorf("decided twice: %v", err)
	}
	if err := w.WithdrawAreas(ctx, held.Name); err != nil {
		t.Fatal(err)
	}
	if _, after, _ := w.InForce(); after != before || w.colour(t, ids[0]) != "green" {
		t.Errorf("undone: areas %s, want %s, colour %s", after, before, w.colour(t, ids[0]))
	}
}

func TestRulesRollBackToWhatTheyWereAndSurviveAReload(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	first, err := w.PublishRules(ctx, "x", preset(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.RollBackRules(ctx); !errors.Is(err, kangma.Conflict) {
		t.Errorf("nothing before the first: %v", err)
	}
	changed := strings.Replace(string(preset(t)), "zh: 您7天内有高风险区旅居史", "zh: 改过的文字", 1)
	if changed == string(preset(t)) {
		t.Fatal("the preset has other words now; change this test")
	}
	second, held, err := w.ProposeRules(ctx, anna, registry.Publication{Name: "x", YAML: []byte(changed)})
	if err != nil || held != nil || second.Rules.Digest == first.Digest {
		t.Fatalf("%+v %+v %v", second, held, err)
	}
	if err := w.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	if ref, _, _ := w.InForce(); ref != second.Rules {
		t.Errorf("after reload: %+v", ref)
	}
	back, err := w.RollBackRules(ctx)
	if ref, _, _ := w.InForce(); err != nil || back != first || ref != first {
		t.Errorf("rolled back to %+v, %v", ref, err)
	}
}

func TestARuleSetSpeaksWithinItsWindowOnly(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	over := strings.Replace(string(preset(t)), "in_force: {from: 2022-06-28, to: 2022-11-11}", "in_force: {from: 2022-06-28, to: 2022-07-01}", 1)
	if over == string(preset(t)) {
		t.Fatal("the preset has another window now; change this test")
	}
	if _, err := w.PublishRules(t.Context(), "x", []byte(over)); kangma.CodeOf(err) != "not_in_force" {
		t.Errorf("a set that is over: %v", err)
	}
	if _, err := w.PublishRules(t.Context(), "x", preset(t)); err != nil {
		t.Fatal(err)
	}
	id := w.people(t, 1, "乙小区")[0]
	for at, want := range map[time.Time]bool{now: true, time.Date(2022, 11, 12, 0, 0, 0, 0, time.UTC): false, time.Date(2022, 6, 27, 0, 0, 0, 0, time.UTC): false} {
		a, _, err := w.Assess(t.Context(), id, at)
		if err != nil || a.Told && !want || !want && a.CannotTell != kangma.TellNoRules {
			t.Errorf("%v: %+v %v", at, a, err)
		}
	}
}
