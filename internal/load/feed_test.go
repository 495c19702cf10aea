package load_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/load"
	"github.com/kangma/kangma/risk/feeds"
)

// register is a server that takes signed batches, refuses every fifth request for lack of room, and turns a code red when a
// positive test of its person has come.
type register struct {
	t        *testing.T
	pop      *load.Population
	mu       sync.Mutex
	asked    int
	batches  map[string]int // lines of each; sent again, it counts once
	positive map[string]bool
}

func (g *register) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.URL.Path == "/metrics" {
		io.WriteString(w, "process_start_time_seconds 1\nprocess_cpu_seconds_total 2\n")
		return
	}
	if g.asked++; g.asked%5 == 0 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/v1/evidence":
		m, err := feeds.OpenManifest(r.Header.Get("Kangma-Manifest"), func(id string) (feeds.Key, error) {
			return feeds.Key{ID: id, Provider: load.FeedName, Public: g.pop.FeedKey().Public()}, nil
		}, time.Now())
		if err == nil {
			err = m.Check(bytes.NewReader(body))
		}
		if err != nil || r.Header.Get("Authorization") != "Bearer "+g.pop.FeederToken() {
			g.t.Errorf("a batch that nobody may take: %v", err)
		}
		g.batches[m.Batch] = m.Count
		for i := range g.pop.People {
			if id := g.pop.Person(i).String(); m.Count == 1 && bytes.Contains(body, []byte(id)) && bytes.Contains(body, []byte(`"positive"`)) {
				g.positive[g.pop.ResidentToken(i)] = true
			}
		}
		json.NewEncoder(w).Encode(map[string]int{"accepted": m.Count})
	case "/v1/me/code":
		json.NewEncoder(w).Encode(map[string]string{"code": strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")})
	case "/v1/scans":
		var in struct{ Code string }
		if json.Unmarshal(body, &in) != nil {
			g.t.Errorf("a scan %q", body)
		}
		wire := "00"
		if g.positive[in.Code] {
			wire = "10"
		}
		json.NewEncoder(w).Encode(map[string]any{"told": true, "wire": wire})
	}
}

func TestAFeedBringsEveryBatchOnceAndFollowsPositivesToTheGate(t *testing.T) {
	pop, err := load.NewPopulation(30, 0, 3, 441500000)
	if err != nil {
		t.Fatal(err)
	}
	g := &register{t: t, pop: pop, batches: map[string]int{}, positive: map[string]bool{}}
	server := httptest.NewServer(g)
	defer server.Close()
	plan := &load.FeedPlan{Target: strings.TrimPrefix(server.URL, "http://"), Rate: 2000, Lines: 50, Duration: 500 * time.Millisecond, Senders: 4, Probes: 8}
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	rep, err := load.Feed(t.Context(), plan, pop, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, n := range g.batches {
		lines += n
	}
	if rep.Items != 1000 || rep.Batches != 20 || rep.Errors != 0 || rep.Refused == 0 || lines != 1004 || len(g.batches) != 24 {
		t.Errorf("%+v; %d batches of %d lines came", rep, len(g.batches), lines)
	}
	if rep.Probes != 4 || rep.Lost != 0 || len(g.positive) != 4 || rep.ToRed.Max <= 0 {
		t.Errorf("%+v; %d people are positive", rep, len(g.positive))
	}
}

func TestAFeedOfNonsenseIsRefused(t *testing.T) {
	good := load.FeedPlan{Target: "127.0.0.1:8080", Rate: 100, Lines: 10, Duration: time.Second, Senders: 1}
	for what, spoil := range map[string]func(*load.FeedPlan){
		"elsewhere": func(p *load.FeedPlan) { p.Target = "192.0.2.1:80" }, "rate": func(p *load.FeedPlan) { p.Rate = 0 },
		"lines": func(p *load.FeedPlan) { p.Lines = 1 << 30 }, "duration": func(p *load.FeedPlan) { p.Duration = -1 },
		"senders": func(p *load.FeedPlan) { p.Senders = 1000 }, "probes": func(p *load.FeedPlan) { p.Probes = -1 },
	} {
		p := good
		if spoil(&p); kangma.KindOf(p.Check()) != kangma.Invalid {
			t.Errorf("%s: %v", what, p.Check())
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
