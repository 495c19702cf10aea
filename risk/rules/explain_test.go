package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
)

func TestAnExplanationSaysEverythingInBothLanguages(t *testing.T) {
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	left := time.Date(2022, 7, 5, 18, 0, 0, 0, set.Zone())
	d := &kangma.Dossier{Person: kangma.PersonID{1}, Evidence: []kangma.Evidence{{
		ID: kangma.EventID{1}, Kind: kangma.KindStay, Observed: left, Received: left.Add(time.Hour), Source: "feed-x",
		Stay: &kangma.Stay{Place: kangma.Place{Division: 440103000}, From: left.Add(-48 * time.Hour), To: left},
	}}}
	a := set.Evaluate(rules.Input{Dossier: d, Areas: listed{440103000, kangma.HighLevel}, At: left.Add(30 * time.Hour)})
	var zh, en strings.Builder
	for _, line := range rules.Explain(a, set.Zone()) {
		if line.Zh == "" || line.En == "" || strings.Contains(line.Zh+line.En, "%!") {
			t.Errorf("a line is not whole: %q", line)
		}
		zh.WriteString(line.Zh + "\n")
		en.WriteString(line.En + "\n")
	}
	for _, want := range []string{"红码", "高风险区旅居史", "2022-07-13 00:00", "feed-x", "2022-07-05 18:00", "2022-07-05 19:00", "0/5", "集中隔离", "national-9th-2022", "01000000-0000", "1. 红码：", "1天6小时前", "还有6天", "之前不会变化", "规则：high-area"} {
		if !strings.Contains(zh.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, zh.String())
		}
	}
	for _, want := range []string{"Red", "high-risk area", "2022-07-13 00:00", "0 of 5", "The next one can be done now", "a stay of 2022-07-05 18:00", "1 day 6 hours ago", "in 6 days", "nothing changes before", "Rule: high-area (national-9th-2022", "published: 9th edition"} {
		if !strings.Contains(en.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, en.String())
		}
	}
	var none *rules.Set
	if got := rules.Explain(none.Evaluate(rules.Input{At: left}), nil); len(got) != 1 || !strings.Contains(got[0].En, "cannot be told") {
		t.Errorf("could not tell: %v", got)
	}
}

func TestTheLanguageIsListedWhole(t *testing.T) {
	names := map[string]bool{}
	for _, f := range rules.Language() {
		if f.Doc == "" || f.Result == "" || names[f.Name] {
			t.Errorf("%+v has no text or is listed twice", f)
		}
		names[f.Name] = true
	}
	for _, want := range []string{"stay(string)", "it.within(int)", "it.at", "person.recent(selection, int)", "day_schedule(list(int))", "it.missed(schedule)"} {
		if !names[want] {
			t.Errorf("%s is not listed", want)
		}
	}
}
