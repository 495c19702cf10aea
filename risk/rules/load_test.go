package rules_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
)

const goodRule = `
  - id: close-contact
    colour: red
    on: contact('close')
    when: it.within(7)
    until: it.end(7)
    reason: {zh: 密接, en: contact}
    guidance: {zh: 隔离, en: isolate}
    clears: {zh: 满7天, en: after 7 days}
`

const head = `id: test-set
version: "1"
title: {zh: 测试, en: test}
timezone: Asia/Shanghai
`

// with gives a rule set of one rule with a line changed.
func with(line, instead string) string {
	return head + "rules:" + strings.Replace(goodRule, line, instead, 1)
}

func TestAFaultNamesFileLineColumnAndWhatWasExpected(t *testing.T) {
	for name, c := range map[string]struct{ file, where, code string }{
		"an empty file":                    {"", "f.yaml:1:1", "yaml"},
		"not YAML":                         {"id: [", "f.yaml:1:1", "yaml"},
		"two documents":                    {head + "---\nid: x\n", "f.yaml:1:1", "yaml"},
		"an unknown field":                 {with("colour: red", "color: red"), "f.yaml:7:5", "unknown_field"},
		"a repeated field":                 {with("colour: red", "colour: red\n    colour: red"), "f.yaml:8:5", "repeated_field"},
		"includes are not in the language": {head + "include: other.yaml\nrules:" + goodRule, "f.yaml:5:1", "unknown_field"},
		"a colour that is none":            {with("colour: red", "colour: blue"), "f.yaml:7:13", "choice"},
		"green is not assigned":            {with("colour: red", "colour: green"), "f.yaml:7:13", "choice"},
		"no until: it would never end":     {with("    until: it.end(7)\n", ""), "f.yaml:6:5", "missing_field"},
		"until that moves with now":        {with("until: it.end(7)", "until: now + duration('24h')"), "f.yaml:10:12", "never_ends"},
		"an unknown function":              {with("it.within(7)", "it.whithin(7)"), "f.yaml:9:21", "expression"},
		"an unknown field of it":           {with("it.within(7)", "it.colour == 'red'"), "f.yaml:9:13", "expression"},
		"a type that does not fit":         {with("it.within(7)", "it.within('7')"), "f.yaml:9:20", "expression"},
		"a condition that is no truth":     {with("it.within(7)", "it.days()"), "f.yaml:9:11", "result"},
		"an unfinished expression":         {with("it.within(7)", "it.within(7) &&"), "f.yaml:9:26", "expression"},
		"a level that is none":             {with("contact('close')", "stay('purple')"), "f.yaml:8:13", "argument"},
		"a degree that is none":            {with("contact('close')", "contact('distant')"), "f.yaml:8:16", "argument"},
		"an argument that is no literal":   {with("it.within(7)", "it.within(it.days())"), "f.yaml:9:20", "literal"},
		"too many days":                    {with("it.within(7)", "it.within(4000)"), "f.yaml:9:20", "argument"},
		"division":                         {with("it.within(7)", "7 / it.days() < 1"), "f.yaml:9:13", "division"},
		"remainder":                        {with("it.within(7)", "7 % it.days() < 1"), "f.yaml:9:13", "division"},
		"a sum that could overflow":        {with("it.within(7)", "9223372036854775807 + it.days() > 0"), "f.yaml:9:31", "overflow"},
		"negation that could overflow":     {with("it.within(7)", "-(-9223372036854775807 - 1) > it.days()"), "f.yaml:9:11", "overflow"},
		"a comprehension":                  {with("it.within(7)", "'[1, 2].all(d, d > 0)'"), "f.yaml:9:22", "expression"},
		"days that do not rise":            {with("it.within(7)", "it.done(day_schedule([3, 1]))"), "f.yaml:9:31", "argument"},
		"tests that cannot fit":            {with("it.within(7)", "it.done(negatives(9, 2, 24))"), "f.yaml:9:28", "argument"},
		"a duration without end":           {with("it.within(7)", "it.at > now - duration('999999h')"), "f.yaml:9:33", "duration"},
		"a rule without on must say since": {with("    on: contact('close')\n", ""), "f.yaml:6:5", "missing_field"},
		"only one language":                {with("{zh: 密接, en: contact}", "{zh: 密接}"), "f.yaml:11:13", "missing_field"},
		"a zone that is none":              {strings.Replace(head, "Asia/Shanghai", "Asia/Atlantis", 1) + "rules:" + goodRule, "f.yaml:4:11", "timezone"},
		"the machine's own zone":           {strings.Replace(head, "Asia/Shanghai", "Local", 1) + "rules:" + goodRule, "f.yaml:4:11", "timezone"},
		"a window that ends early":         {head + "in_force: {from: 2022-06-28, to: 2022-06-28}\nrules:" + goodRule, "f.yaml:5:11", "in_force"},
		"the same id twice":                {head + "rules:" + goodRule + goodRule, "f.yaml:15:5", "repeated_rule"},
		"two colours for one condition": {head + "rules:" + goodRule + strings.NewReplacer("id: close-contact", "id: other", "red", "yellow").Replace(goodRule),
			"f.yaml:15:5", "contradiction"},
		"two colours for one condition, written otherwise": {head + "rules:" + strings.Replace(goodRule, "it.within(7)", "it.within(7) && !it.released()", 1) +
			strings.NewReplacer("id: close-contact", "id: other", "red", "yellow", "contact('close')", "contact( \"close\" )", "it.within(7)", "(!it.released()) && it.within( 7 )").Replace(goodRule),
			"f.yaml:15:5", "contradiction"},
		"a condition and its opposite":         {with("it.within(7)", "it.within(7) && it.active() && !it.active()"), "f.yaml:9:39", "never_holds"},
		"days that leave no day":               {with("it.within(7)", "it.days() > 9 && it.within(7)"), "f.yaml:9:25", "never_holds"},
		"never":                                {with("it.within(7)", "false"), "f.yaml:9:11", "never_holds"},
		"an assignment that ends as it begins": {with("until: it.end(7)", "since: it.end(7)\n    until: it.end(7)"), "f.yaml:6:5", "contradiction"},
		"not UTF-8":                            {head + "\xff", "f.yaml:1:1", "utf8"},
		"an alias":                             {head + "sources: &s [x]\nweakness: *s\nrules:" + goodRule, "f.yaml:6:11", "alias"},
		"unclear stays apart without a rule for them":  {strings.Replace(head+"unclear_stays: apart\nrules:"+goodRule, "contact('close')", "stay('high')", 1), "f.yaml:7:3", "unclear_stays"},
		"a rule for unclear stays that selects nobody": {with("contact('close')", "stay('unclear')"), "f.yaml:6:5", "unclear_stays"},
		"only a duty for unclear stays": {head + "unclear_stays: apart\nrules:" + strings.Replace(goodRule, "contact('close')", "stay('mid')", 1) +
			strings.NewReplacer("id: close-contact", "id: other", "red", "none", "contact('close')", "stay('unclear')").Replace(goodRule), "f.yaml:7:3", "unclear_stays"},
		"no rules":  {head + "rules: []\n", "f.yaml:5:8", "type"},
		"max_days":  {head + "max_days: 9999\nrules:" + goodRule, "f.yaml:5:11", "range"},
		"no record": {"- a\n- b\n", "f.yaml:1:1", "type"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := rules.Load("f.yaml", []byte(c.file))
			var e *kangma.Error
			if set != nil || !errors.As(err, &e) || !errors.Is(err, kangma.Invalid) {
				t.Fatalf("got %v, %v", set, err)
			}
			if !slices.ContainsFunc(e.Faults, func(f kangma.Fault) bool { return f.Where == c.where && f.Code == c.code && f.What != "" }) {
				t.Errorf("no fault %s at %s in %q", c.code, c.where, e.Faults)
			}
		})
	}
}

func TestAllFaultsComeAtOnce(t *testing.T) {
	file := with("colour: red", "colour: blue\n    label: ''")
	file = strings.Replace(file, "it.within(7)", "it.whithin(7)", 1)
	file = strings.Replace(file, "Asia/Shanghai", "Nowhere", 1)
	_, err := rules.Load("f.yaml", []byte(file))
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) != 4 {
		t.Errorf("got %v", err)
	}
}

func TestEveryFaultInsideOneExpressionIsNamed(t *testing.T) {
	_, err := rules.Load("f.yaml", []byte(with("it.within(7)", "it.days() + 9223372036854775807 > 3 && 5 / it.days() > 1 || it.within(700) && it.at > now - duration('999999h')")))
	var e *kangma.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range e.Faults {
		got = append(got, f.Code)
	}
	if want := []string{"overflow", "division", "argument", "duration"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What differs from a contradiction by one day or word is none.
func TestWhatIsNoContradictionIsTaken(t *testing.T) {
	for _, when := range []string{"it.days() > 6 && it.within(7)", "it.within(7) && !it.within(6)", "it.active() || !it.active()", "it.days() == 7 && 7 >= it.days()"} {
		if _, err := rules.Load("f.yaml", []byte(with("it.within(7)", when))); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}

func TestABlockExpressionIsLocatedToo(t *testing.T) {
	_, err := rules.Load("f.yaml", []byte(with("when: it.within(7)", "when: |\n      it.within(7) &&\n      it.whithin(7)")))
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) != 1 || !strings.HasPrefix(e.Faults[0].Where, "f.yaml:11:") {
		t.Errorf("got %v", err)
	}
}

func TestRulesThatCostTooMuchTogetherAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "rules:")
	for i := range 150 {
		r := strings.Replace(goodRule, "close-contact", fmt.Sprintf("rule-%d", i), 1)
		b.WriteString(strings.Replace(r, "it.within(7)", fmt.Sprintf("it.done(check_ins(%d)) && person.recent(entry(), 9) && person.count(test('negative'), 9) > 3", i%50+1), 1))
	}
	_, err := rules.Load("f.yaml", []byte(b.String()))
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) != 1 || e.Faults[0].Code != "cost" {
		t.Errorf("got %v", err)
	}
	if _, err := rules.Load("f.yaml", bytes.Repeat([]byte(" "), 300<<10)); err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("too large: %v", err)
	}
}

func TestTheDigestIsOfTheFile(t *testing.T) {
	a, err := rules.Load("a", []byte(head+"rules:"+goodRule))
	if err != nil {
		t.Fatal(err)
	}
	b, err := rules.Load("b", []byte(head+"rules:"+goodRule+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := a.Ref(); r.ID != "test-set" || r.Version != "1" || len(r.Digest) != 64 || r.Digest == b.Ref().Digest {
		t.Errorf("%+v %+v", a.Ref(), b.Ref())
	}
}

func TestNoTwoSetsAreInForceAtOnce(t *testing.T) {
	set := func(window string) *rules.Set {
		s, err := rules.Load(window, []byte(head+"in_force: {"+window+"}\nrules:"+goodRule))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	early, late := set("from: 2022-01-01, to: 2022-06-01"), set("from: 2022-06-01, to: 2022-07-01")
	c, err := rules.NewCatalogue(late, early)
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time {
		d, err := time.ParseInLocation("2006-01-02 15:04", s, early.Zone())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for at, want := range map[string]*rules.Set{"2021-12-31 23:59": nil, "2022-01-01 00:00": early, "2022-05-31 23:59": early, "2022-06-01 00:00": late, "2022-07-01 00:00": nil} {
		if got, err := c.InForce(day(at)); got != want || (err == nil) != (want != nil) || err != nil && !errors.Is(err, kangma.NotFound) {
			t.Errorf("%s: %v, %v", at, got, err)
		}
	}
	in := rules.Input{Dossier: &kangma.Dossier{Person: kangma.PersonID{1}}, At: day("2022-07-02 00:00")}
	if a := c.Evaluate(in); a.Told || a.CannotTell != kangma.TellNoRules {
		t.Errorf("no rules in force: %+v", a)
	}
	in.At = day("2022-05-01 00:00")
	if a := c.Evaluate(in); !a.Told || !a.NextChange.Equal(day("2022-06-01 00:00")) {
		t.Errorf("the next set takes over: %+v", a)
	}
	for _, other := range []string{"from: 2022-05-31, to: 2022-06-02", "from: 2020-01-01", "from: 2022-01-01, to: 2022-06-01"} {
		_, err := rules.NewCatalogue(early, late, set(other))
		var e *kangma.Error
		if !errors.As(err, &e) || e.Kind != kangma.Conflict || len(e.Faults) == 0 {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(head + "rules:" + goodRule))
	for _, id := range rules.Presets() {
		file, err := rules.PresetFile(id)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file[:min(len(file), 2000)])
	}
	overrides, err := os.ReadFile("presets/overrides.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(overrides)
	at := time.Date(2022, 7, 5, 12, 0, 0, 0, time.UTC)
	d := &kangma.Dossier{Person: kangma.PersonID{1}, Evidence: []kangma.Evidence{
		{ID: kangma.EventID{1}, Kind: kangma.KindContact, Observed: at.Add(-time.Hour), Contact: &kangma.Contact{Degree: "close"}},
		{ID: kangma.EventID{2}, Kind: kangma.KindStay, Observed: at, Stay: &kangma.Stay{From: at.Add(-time.Hour)}},
		{ID: kangma.EventID{3}, Kind: kangma.KindTest, Observed: at, Test: &kangma.Test{Result: "negative"}},
	}}
	f.Fuzz(func(t *testing.T, file []byte) {
		set, err := rules.Load("fuzz", file)
		if err != nil {
			var e *kangma.Error
			if !errors.As(err, &e) || len(e.Faults) == 0 {
				t.Fatalf("an error without faults: %v", err)
			}
			return
		}
		a := set.Evaluate(rules.Input{Dossier: d, At: at})
		for _, x := range a.Assignments {
			if a.Told && x.Colour.Worse(a.Colour) || !x.Until.After(at) {
				t.Errorf("%s in force, told %s", x.Colour, a.Colour)
			}
		}
	})
}

func FuzzLoadCases(f *testing.F) {
	file, err := os.ReadFile("presets/henan-2020.cases.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file[:3000])
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := rules.LoadCases("fuzz", file, time.UTC); err == nil {
			c.Run(set)
		}
	})
}
