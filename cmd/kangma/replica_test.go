package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
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

// TestANodeDecidesFromItsCopyWhileRedisIsAway is R5: Redis is gone for a while (the long form: 60 s, else until the node has
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
	g := s.loadAs(t, s.turnstile(t), s.shown(t, me), 6)
	defer func() { g.end() }()
	g.more(t, "Redis there", 100)
	if soak.Long() {
		g.during(t, "Redis there, to compare", 20*time.Second)
	}
	if v, _ := g.scanFresh(t, me); v.Decision != "pass" || !v.AsOf.IsZero() || len(v.Flags) > 0 {
		t.Errorf("with Redis: %+v", v)
	}
	within(t, "everything is copied", func() bool { return s.figure(t, "kangma_state_copy_age_seconds") >= 0 && s.copied(t) })

	redis.Kill()
	away := time.Now()
	within(t, "nobody waits for Redis", func() bool { return s.figure(t, "kangma_state_absent") == 1 })
	t.Logf("breaker open within %v", time.Since(away).Round(10*time.Millisecond))
	g.more(t, "Redis away", 200)
	if soak.Long() {
		g.during(t, "Redis away for a minute", time.Minute-time.Since(away))
		g.showing(t, me, 200)
	}
	v, shown := g.scanFresh(t, me)
	if age := time.Since(v.AsOf); age < time.Since(away) || age > time.Since(away)+time.Minute {
		t.Errorf("%v after Redis went the answer is as of %v ago", time.Since(away), age)
	}
	if v.Decision != "pass" || v.AsOf.IsZero() || !slices.Contains(v.Flags, "stale") || !strings.HasPrefix(v.Why.En, "As of ") {
		t.Errorf("without Redis: %+v", v)
	}
	if shown.Colour != "green" || !shown.AsOf.Equal(v.AsOf) {
		t.Errorf("shown without Redis: %+v", shown)
	}
	if status, text := s.body(t, "/readyz"); status != 200 || !strings.Contains(text, "as of") || !strings.Contains(text, "degraded") {
		t.Errorf("readyz: %d %s", status, text)
	}
	if age := s.figure(t, "kangma_state_copy_age_seconds"); !(age >= time.Since(away).Seconds()-1) {
		t.Errorf("age of the copy: %v s, Redis is away for %v", age, time.Since(away))
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

// turnstile gives a gate a device, which may scan ten times as often as a person.
func (s *server) turnstile(t *testing.T) string {
	t.Helper()
	var device struct{ Key string }
	admin := s.logIn(t, map[string]string{"username": "admin", "password": demoPassword("admin")})
	body := map[string]any{"organisation": "metro", "gates": []string{"metro-1"}}
	if status, err := s.call(t.Context(), "PUT", "/v1/devices/turnstile-1", admin, body, &device); err != nil || device.Key == "" {
		t.Fatalf("device: %d %v", status, err)
	}
	return device.Key
}

// during lets the load go on for so long. Nobody may be refused meanwhile.
func (g *gateLoad) during(t *testing.T, what string, d time.Duration) {
	t.Helper()
	before, refusedBefore := g.counts()
	g.mu.Lock()
	g.took = nil
	g.mu.Unlock()
	time.Sleep(d)
	now, refused := g.counts()
	t.Logf("%-34s %4d acknowledged in %v, %3d refused, %s", what, now-before, d.Round(time.Second), refused-refusedBefore, g.percentiles())
	if now == before || refused > refusedBefore {
		t.Errorf("%s: %d acknowledged, %d refused", what, now-before, refused-refusedBefore)
	}
}

// showing shows a person's code again and again, and tells how long the answers took.
func (g *gateLoad) showing(t *testing.T, me string, n int) {
	t.Helper()
	g.mu.Lock()
	g.took = nil
	g.mu.Unlock()
	for range n {
		began := time.Now()
		g.s.shown(t, me)
		g.mu.Lock()
		g.took = append(g.took, time.Since(began))
		g.mu.Unlock()
	}
	t.Logf("%-34s %4d codes shown beside, %s", "Redis away", n, g.percentiles())
}

// copied waits for a copy that was made after now.
func (s *server) copied(t *testing.T) bool {
	t.Helper()
	now := time.Now()
	within(t, "a round of copying", func() bool { return s.figure(t, "kangma_state_copy_age_seconds") < time.Since(now).Seconds() })
	return true
}
