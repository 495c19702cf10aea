package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
)

type scanned struct {
	Decision, Colour, Reason string
	Told                     bool
	CannotTell               string    `json:"cannot_tell"`
	AsOf                     time.Time `json:"as_of"`
	Why                      kangma.Text
	Flags                    []string
}

// scanFresh shows a person's code and scans it.
func (g *gateLoad) scanFresh(t *testing.T, me string) (v scanned, shown scanned) {
	t.Helper()
	var c struct {
		Code string
		scanned
	}
	if status, err := g.s.call(t.Context(), "GET", "/v1/me/code", me, nil, &c); err != nil || status != http.StatusOK {
		t.Fatalf("show: %d %v\n%s", status, err, g.s.output())
	}
	body := map[string]string{"code": c.Code, "gate": "metro-1", "event": kangma.NewEventID(time.Now()).String()}
	if status, err := g.s.call(t.Context(), "POST", "/v1/scans", g.token, body, &v); err != nil || status != http.StatusOK {
		t.Fatalf("scan: %d %v\n%s", status, err, g.s.output())
	}
	return v, c.scanned
}

// shown shows a person's code.
func (s *server) shown(t *testing.T, me string) string {
	t.Helper()
	var c struct{ Code string }
	if status, err := s.call(t.Context(), "GET", "/v1/me/code", me, nil, &c); err != nil || c.Code == "" {
		t.Fatalf("show: %d %v\n%s", status, err, s.output())
	}
	return c.Code
}

// TestANodeDecidesFromItsCopyWhileRedisIsAway is R5: Redis is gone for a while (KANGMA_SOAK: 60 s, else until the node has
// done some work). Codes are shown and scanned from this node's copy, which says how old it is;
// the limits still hold; the node can be killed and started; and when Redis is back everything is
// applied, once.
func TestANodeDecidesFromItsCopyWhileRedisIsAway(t *testing.T) {
	redis := realserver.StartRedis(t, realserver.RedisSurvivesKill...)
	data := filepath.Join(t.TempDir(), "one")
	flags := []string{"--redis", redis.Addr, "--redis-password", redis.Password}
	s := startServer(t, data, append(flags, "--redis-new")...)
	defer func() { s.kill() }()
	me := s.resident(t, "13800000001")
	g := s.loadAs(t, s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"}), s.shown(t, me), 4)
	defer func() { g.end() }()
	g.more(t, "Redis there", 100)
	if v, _ := g.scanFresh(t, me); v.Decision != "pass" || !v.AsOf.IsZero() || len(v.Flags) > 0 {
		t.Errorf("with Redis: %+v", v)
	}
	within(t, "everything is copied", func() bool { return s.figure(t, "kangma_state_copy_age_seconds") >= 0 && s.copied(t) })

	redis.Kill()
	away := time.Now()
	within(t, "nobody waits for Redis", func() bool { return s.figure(t, "kangma_state_absent") == 1 })
	t.Logf("breaker open within %v", time.Since(away).Round(10*time.Millisecond))
	g.more(t, "Redis away", 200)
	if os.Getenv("KANGMA_SOAK") != "" {
		for time.Since(away) < time.Minute {
			g.more(t, "Redis away", 1000)
		}
	}
	v, shown := g.scanFresh(t, me)
	if v.Decision != "pass" || v.AsOf.IsZero() || !slices.Contains(v.Flags, "stale") || !strings.HasPrefix(v.Why.En, "As of ") {
		t.Errorf("without Redis: %+v", v)
	}
	if shown.Colour != "green" || !shown.AsOf.Equal(v.AsOf) {
		t.Errorf("shown without Redis: %+v", shown)
	}
	if status, text := s.body(t, "/readyz"); status != 200 || !strings.Contains(text, "as of") || !strings.Contains(text, "degraded") {
		t.Errorf("readyz: %d %s", status, text)
	}
	if age := s.figure(t, "kangma_state_copy_age_seconds"); !(age > 0) {
		t.Errorf("age of the copy: %v", age)
	}
	last := 0
	for range 12 { // the limits are this node's own: neither open nor closed
		last, _ = s.call(t.Context(), "POST", "/v1/sessions", "", map[string]string{"username": "official", "password": "wrong-wrong"}, nil)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twelfth log-in: %d, want 429", last)
	}

	s.kill() // and up again, without Redis
	acked := g.end()
	s = startServer(t, data, flags...)
	g2 := s.loadAs(t, g.token, g.code, 4)
	defer func() { g2.end() }()
	g2.more(t, "started without Redis", 100)
	if v, _ := g2.scanFresh(t, me); v.Decision != "pass" || v.AsOf.IsZero() {
		t.Errorf("started without Redis: %+v", v)
	}

	start(t, redis.Process)
	back := time.Now()
	within(t, "Redis is asked again", func() bool { v, _ := g2.scanFresh(t, me); return v.Decision == "pass" && v.AsOf.IsZero() })
	t.Logf("back within %v", time.Since(back).Round(10*time.Millisecond))
	g2.more(t, "and back", 50)
	for e := range g2.end() {
		acked[e] = true
	}
	s.checkAll(t, s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"}), acked)
}

// copied waits for a copy that was made after now.
func (s *server) copied(t *testing.T) bool {
	t.Helper()
	now := time.Now()
	within(t, "a round of copying", func() bool { return s.figure(t, "kangma_state_copy_age_seconds") < time.Since(now).Seconds() })
	return true
}
