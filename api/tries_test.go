package api_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
)

// twoNodes are two servers on the same records, with one clock.
func twoNodes(t *testing.T) (a, b *town) {
	var cfg api.Config
	a = newTownWith(t, func(c *api.Config) { cfg = *c })
	server, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(server)
	t.Cleanup(ts.Close)
	second := *a
	second.url, second.server = ts.URL, server
	return a, &second
}

// A stolen gate login cannot go through digits or numbers by asking another node each time.
func TestTriesAreCountedAtAllNodesTogether(t *testing.T) {
	a, b := twoNodes(t)
	gate := a.staff(api.GateStaff)
	wrong := func(w *town, i int) answer {
		return w.call("POST", "/v1/scans", gate, obj{"gate": "metro-1", "document": obj{"number": "11010519491231002X", "name": "无此人"}})
	}
	for i := range 20 {
		a.want(wrong([]*town{a, b}[i%2], i), 200, "")
	}
	for _, w := range []*town{a, b} {
		if r := w.want(wrong(w, 0), 429, "too_many"); r.header.Get("Retry-After") == "" {
			t.Error("no time to come again")
		}
	}
	a.pass(11 * time.Minute)
	b.want(wrong(b, 0), 200, "")

	p := a.resident("591")
	look := func(w *town) answer {
		return w.call("POST", "/v1/scans", gate, obj{"gate": "metro-1", "document": obj{"number": p.number, "name": "欧阳测试"}})
	}
	for i := range 30 {
		a.want(look([]*town{a, b}[i%2]), 200, "")
	}
	a.want(look(a), 429, "too_many")
	b.want(look(b), 429, "too_many")
}

func TestNodesTellEachOtherWhatWasShown(t *testing.T) {
	w := newTown(t)
	gates := map[string]checkpoint.Gate{"near": {ID: "near", Kind: "metro", District: 441502000, Policy: checkpoint.DefaultPolicy("metro")},
		"far": {ID: "far", Kind: "metro", District: 350603000, Policy: checkpoint.DefaultPolicy("metro")}}
	nodes := map[string]*checkpoint.Service{}
	for _, name := range []string{"a", "b"} {
		nodes[name] = checkpoint.New(w.registry, w.opener)
		nodes[name].ShareShown()
	}
	exchange := func() {
		t.Helper()
		for name, n := range nodes {
			if late, err := n.Exchange(t.Context(), name); err != nil || late != 0 {
				t.Fatal(late, err)
			}
		}
	}
	p := w.resident("592")
	code := w.code(p).Code
	v, err := nodes["a"].Scan(t.Context(), checkpoint.Scan{Code: code, Gate: gates["near"], Operator: "o"})
	if err != nil || len(v.Flags) != 0 {
		t.Fatal(v, err)
	}
	exchange()
	exchange() // whoever came first in the first round
	w.pass(20 * time.Second)
	v, err = nodes["b"].Scan(t.Context(), checkpoint.Scan{Code: code, Gate: gates["far"], Operator: "o"})
	if err != nil || len(v.Flags) != 1 || v.Flags[0] != checkpoint.FlagTravel {
		t.Errorf("flags %v, %v", v.Flags, err)
	}
}
