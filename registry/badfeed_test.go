package registry_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
)

// send takes a body in as a feed does.
func (w *town) send(t *testing.T, body string) registry.FeedResult {
	t.Helper()
	res, err := w.TakeIn(t.Context(), strings.NewReader(body), feeds.Options{Provider: "lab-x", Batch: "lab-x/" + fmt.Sprint(len(body)), Content: feeds.EvidenceContent,
		Format: feeds.NDJSON, Now: w.now(), Retention: 60 * 24 * time.Hour}, anna, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// lines says the same of everyone.
func lines(ids []kangma.PersonID, result string) string {
	var b bytes.Buffer
	at := now.Add(-2 * time.Hour)
	for _, id := range ids {
		fmt.Fprintf(&b, `{"id":%q,"kind":"test","person":%q,"observed_at":%q,"test":{"method":"pcr","result":%q}}`+"\n", kangma.NewEventID(at), id, at.Format(time.RFC3339), result)
	}
	return b.String()
}

func (w *town) hash(t *testing.T) string {
	t.Helper()
	d, err := digest.State(t.Context(), w.db.Dossiers(), w.db.Records(), digest.Options{Kinds: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// fed is a town of 60, who have one colour, and its people.
func fed(t *testing.T, change func(*registry.Config)) (*town, []kangma.PersonID) {
	t.Helper()
	w := openWith(t, t.TempDir(), change)
	t.Cleanup(func() { w.close(t) })
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 11", "海丰县/乙小区")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishRules(t.Context(), "national", preset(t)); err != nil {
		t.Fatal(err)
	}
	return w, w.people(t, 60, "无风险小区")
}

// TestAFeedThatIsPoisonedRecoloursNobody (R22): a laboratory that calls everyone positive is held whole, changes no dossier and no
// colour, and waits for two persons. The mutant is a registry whose breaker holds nothing.
func TestAFeedThatIsPoisonedRecoloursNobody(t *testing.T) {
	harmed := func(t *testing.T, change func(*registry.Config)) (recoloured int, changed bool) {
		w, ids := fed(t, change)
		before, was := w.hash(t), w.colour(t, ids[0])
		res := w.send(t, lines(ids, "positive"))
		for _, id := range ids {
			if w.colour(t, id) != was {
				recoloured++
			}
		}
		if (res.Held != nil) != (recoloured == 0) {
			t.Errorf("held %+v, %d recoloured", res.Held, recoloured)
		}
		changed = w.hash(t) != before
		if after := w.send(t, lines(ids[:3], "negative")); after.Accepted != 3 {
			t.Errorf("what came after it: %+v", after)
		}
		return recoloured, changed
	}
	if red, changed := harmed(t, func(*registry.Config) {}); red != 0 || changed {
		t.Errorf("%d were recoloured, changed %v", red, changed)
	}
	if red, _ := harmed(t, func(c *registry.Config) { c.Breaker = backtest.Breaker{Limit: 1} }); red != 60 {
		t.Errorf("the mutant recoloured %d of 60: this test could not fail", red)
	}
}

// TestAFeedThatFallsSilentIsAnAlarmAfterADay (R22), to the second, and none again when it speaks. The mutant is a feed whose limit
// was set to two days.
func TestAFeedThatFallsSilentIsAnAlarmAfterADay(t *testing.T) {
	silentAfter := func(t *testing.T, set func(*registry.FeedConfig)) time.Duration {
		w, ids := fed(t, func(*registry.Config) {})
		if _, err := w.SetFeed(t.Context(), "lab-x", set); err != nil {
			t.Fatal(err)
		}
		w.send(t, lines(ids[:2], "negative"))
		said := w.now()
		for _, after := range []time.Duration{0, 24*time.Hour - time.Second, 24*time.Hour + time.Second, 49 * time.Hour} {
			w.at(said.Add(after))
			all, err := w.Feeds(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v %v", all, err)
			}
			if all[0].Silent {
				w.send(t, lines(ids[2:5], "negative"))
				if again, err := w.Feeds(t.Context()); err != nil || again[0].Silent {
					t.Errorf("it speaks and is called silent: %+v %v", again, err)
				}
				return after
			}
		}
		return 0
	}
	if got := silentAfter(t, func(*registry.FeedConfig) {}); got != 24*time.Hour+time.Second {
		t.Errorf("alarm after %v", got)
	}
	if got := silentAfter(t, func(c *registry.FeedConfig) { c.SilentFor = 48 * time.Hour }); got != 49*time.Hour {
		t.Errorf("the mutant's alarm came after %v: this test could not fail", got)
	}
}

// TestAFeedThatIsSentTwiceCountsOnce (R22): the same body again, at once and after a restart, leaves the state as it is. The mutant
// is a sender that gives its events other ids when it sends them again.
func TestAFeedThatIsSentTwiceCountsOnce(t *testing.T) {
	w, ids := fed(t, func(*registry.Config) {})
	body := lines(ids, "negative")
	if res := w.send(t, body); res.Accepted != 60 || res.Tally.Bad != 0 {
		t.Fatalf("%+v", res)
	}
	once := w.hash(t)
	versions := func() (sum uint64) {
		all, err := store.GetMany(t.Context(), w.db.Dossiers(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			sum += d.Version
		}
		return sum
	}
	before := versions()
	for range 2 {
		w.send(t, body)
	}
	if w.hash(t) != once || versions() != before {
		t.Error("sent again, it changed somebody")
	}
	w.send(t, lines(ids, "negative"))
	if w.hash(t) == once {
		t.Error("the mutant changed nobody: this test could not fail")
	}
}
