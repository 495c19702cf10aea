package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

// twoWays is one town behind two servers: one answers the hot routes the fast way, one the general way.
func twoWays(t *testing.T) (w *town, hot, general http.Handler) {
	t.Helper()
	var cfg api.Config
	w = newTownWith(t, func(c *api.Config) { cfg = *c })
	cfg.NoHotPath = true
	slow, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w, w.server, slow
}

func ask(h http.Handler, method, path, token, body string, header map[string]string) *httptest.ResponseRecorder {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

// alike compares two answers but for what is drawn anew each time.
func alike(t *testing.T, hot, general *httptest.ResponseRecorder) {
	t.Helper()
	names := func(h http.Header) (all []string) {
		for k := range h {
			if k != "Content-Length" {
				all = append(all, k)
			}
		}
		slices.Sort(all)
		return all
	}
	if hot.Code != general.Code || !slices.Equal(names(hot.Header()), names(general.Header())) {
		t.Errorf("hot %d %v\ngeneral %d %v", hot.Code, hot.Header(), general.Code, general.Header())
	}
	for _, k := range []string{"Content-Type", "Cache-Control", "Content-Security-Policy", "Retry-After"} {
		if hot.Header().Get(k) != general.Header().Get(k) {
			t.Errorf("%s: hot %q, general %q", k, hot.Header().Get(k), general.Header().Get(k))
		}
	}
	var a, b map[string]any
	if err := json.Unmarshal(hot.Body.Bytes(), &a); err != nil {
		t.Fatalf("%v in %s", err, hot.Body)
	}
	if err := json.Unmarshal(general.Body.Bytes(), &b); err != nil {
		t.Fatalf("%v in %s", err, general.Body)
	}
	for _, k := range []string{"code", "event", "at", "instance"} {
		if (a[k] == nil) != (b[k] == nil) {
			t.Errorf("%s: hot %v, general %v", k, a[k], b[k])
		}
		if a["status"] == nil || k != "code" { // the code of a problem is to be the same
			delete(a, k)
			delete(b, k)
		}
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("hot     %v\ngeneral %v", a, b)
	}
}

func TestTheHotWayAnswersAsTheGeneralOne(t *testing.T) {
	w, hot, general := twoWays(t)
	p, gate, feeder := w.resident("101"), w.staff(api.GateStaff), w.staff(api.Feeder)
	yellow := w.resident("102")
	line := stayLine(kangma.NewEventID(w.now()), yellow.number, "441502", "金町湾小区", w.now().Add(-48*time.Hour))
	w.want(w.call("POST", "/v1/evidence", feeder, line+"\n"), 200, "")
	code := w.code(p).Code
	scan := `{"code":"` + code + `","gate":"metro-1","direction":"in","temperature":36.5}`
	zh := map[string]string{"Accept-Language": "zh-CN"}
	for _, tc := range []struct {
		name, method, path, token, body string
		header                          map[string]string
	}{
		{"a green code", "GET", "/v1/me/code", p.token, "", nil},
		{"a code with reasons", "GET", "/v1/me/code", yellow.token, "", nil},
		{"nobody asks", "GET", "/v1/me/code", "", "", nil},
		{"a token that is none", "GET", "/v1/me/code", "nonsense", "", zh},
		{"staff has no code", "GET", "/v1/me/code", gate, "", zh},
		{"a scan", "POST", "/v1/scans", gate, scan, nil},
		{"a brief scan", "POST", "/v1/scans?brief=true", gate, scan, nil},
		{"another parameter", "POST", "/v1/scans?brief=1&x=2", gate, scan, nil},
		{"a scan of no code", "POST", "/v1/scans", gate, `{"code":"nonsense","gate":"metro-1"}`, nil},
		{"a resident scans", "POST", "/v1/scans", p.token, scan, nil},
		{"a gate that is not theirs", "POST", "/v1/scans", gate, `{"code":"x","gate":"other"}`, zh},
		{"a bad event id", "POST", "/v1/scans", gate, `{"code":"x","gate":"metro-1","event":"1"}`, nil},
		{"a fever", "POST", "/v1/scans", gate, `{"code":"` + code + `","gate":"metro-1","temperature":39.1}`, nil},
		{"an impossible temperature", "POST", "/v1/scans", gate, `{"code":"` + code + `","gate":"metro-1","temperature":12}`, nil},
		{"an unknown member", "POST", "/v1/scans", gate, `{"code":"x","gate":"metro-1","colour":"green"}`, nil},
		{"half a body", "POST", "/v1/scans", gate, `{"code":"x","ga`, nil},
		{"escapes", "POST", "/v1/scans", gate, strings.ReplaceAll(scan, "KM1:", `\u004bM1:`), nil},
		{"another type", "POST", "/v1/scans", gate, scan, map[string]string{"Content-Type": "text/plain"}},
		{"a body that is too large", "POST", "/v1/scans", gate, scan + strings.Repeat(" ", 70<<10), nil},
		{"a page of another site", "POST", "/v1/scans", gate, scan, map[string]string{"Sec-Fetch-Site": "same-origin"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := ask(hot, tc.method, tc.path, tc.token, tc.body, tc.header), ask(general, tc.method, tc.path, tc.token, tc.body, tc.header)
			alike(t, a, b)
		})
	}
}

func TestAnotherSitesScanIsRefusedBeforeTheHotWay(t *testing.T) {
	w, hot, _ := twoWays(t)
	a := ask(hot, "POST", "/v1/scans", w.staff(api.GateStaff), `{"code":"x","gate":"metro-1"}`, map[string]string{"Sec-Fetch-Site": "cross-site"})
	if a.Code != http.StatusForbidden {
		t.Errorf("got %d", a.Code)
	}
}

func TestALogOutEndsTheHotWayAtOnce(t *testing.T) {
	w := newTown(t)
	p := w.resident("101")
	w.code(p)
	w.want(w.call("DELETE", "/v1/sessions/current", p.token, nil), 204, "")
	w.want(w.call("GET", "/v1/me/code", p.token, nil), 401, "unauthorized")
}

// hole is a ResponseWriter that keeps nothing.
type hole struct {
	h      http.Header
	status int
}

func (h *hole) Header() http.Header         { return h.h }
func (h *hole) Write(b []byte) (int, error) { return len(b), nil }
func (h *hole) WriteHeader(status int)      { h.status = status }

// Allocations of the hot routes with everything under them, but for the HTTP server itself. They may fall, not rise: what
// is measured is about a tenth lower.
func TestHotRoutesDoNotAllocateMore(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates")
	}
	w := newTown(t)
	p, gate := w.resident("101"), w.staff(api.GateStaff)
	scan := []byte(`{"code":"` + w.code(p).Code + `","gate":"metro-1"}`)
	for _, tc := range []struct {
		name string
		most float64
		req  func() *http.Request
	}{
		{"show", 135, func() *http.Request {
			r := httptest.NewRequest("GET", "/v1/me/code", nil)
			r.Header.Set("Authorization", "Bearer "+p.token)
			return r
		}},
		{"scan", 170, func() *http.Request {
			r := httptest.NewRequest("POST", "/v1/scans?brief=true", bytes.NewReader(scan))
			r.Header.Set("Authorization", "Bearer "+gate)
			r.Header.Set("Content-Type", "application/json")
			return r
		}},
	} {
		out := &hole{h: http.Header{}}
		bare := testing.AllocsPerRun(100, func() { tc.req() })
		got := testing.AllocsPerRun(100, func() {
			clear(out.h)
			out.status = 200
			w.server.ServeHTTP(out, tc.req())
			if out.status != 200 {
				t.Fatalf("%s: status %d", tc.name, out.status)
			}
		}) - bare
		t.Logf("%s: %.0f allocations", tc.name, got)
		if got > tc.most {
			t.Errorf("%s: %.0f allocations, at most %.0f", tc.name, got, tc.most)
		}
	}
}
