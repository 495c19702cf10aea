package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
)

// gateLoad scans at one gate with several workers and notes what was acknowledged and how long each answer took.
type gateLoad struct {
	s       *server
	token   string
	code    string
	mu      sync.Mutex
	acked   map[string]bool
	refused int
	took    []time.Duration
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

func (s *server) load(t *testing.T, workers int) *gateLoad {
	t.Helper()
	return s.loadAs(t, s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"}), s.code(t), workers)
}

// loadAs is load with a log-in and a code that there are already.
func (s *server) loadAs(t *testing.T, token, code string, workers int) *gateLoad {
	t.Helper()
	g := &gateLoad{s: s, acked: map[string]bool{}, token: token, code: code}
	ctx, stop := context.WithCancel(t.Context())
	g.stop = stop
	for range workers {
		g.wg.Go(func() {
			for ctx.Err() == nil {
				g.one(ctx)
				time.Sleep(50 * time.Millisecond) // all faults together stay below what one account may scan in an hour
			}
		})
	}
	return g
}

func (g *gateLoad) one(ctx context.Context) {
	event := kangma.NewEventID(time.Now()).String()
	began := time.Now()
	var v struct{ Decision string }
	status, err := g.s.call(ctx, "POST", "/v1/scans", g.token, map[string]string{"code": g.code, "gate": "metro-1", "event": event}, &v)
	took := time.Since(began)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err != nil:
	case status == http.StatusOK:
		g.acked[event] = true
		g.took = append(g.took, took)
	default:
		g.refused++
		g.took = append(g.took, took)
	}
}

func (g *gateLoad) counts() (acked, refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.acked), g.refused
}

// more waits until so many more are acknowledged, and tells how long the answers took meanwhile.
func (g *gateLoad) more(t *testing.T, what string, n int) {
	t.Helper()
	before, refusedBefore := g.counts()
	g.mu.Lock()
	g.took = nil
	g.mu.Unlock()
	within(t, what+": scans are taken in", func() bool { now, _ := g.counts(); return now >= before+n })
	now, refused := g.counts()
	t.Logf("%-34s %4d acknowledged, %3d refused, %s", what, now-before, refused-refusedBefore, g.percentiles())
}

func (g *gateLoad) percentiles() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.took) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(g.took))
	at := func(p int) time.Duration { return sorted[(len(sorted)-1)*p/100].Round(time.Millisecond / 10) }
	return "answers p50 " + at(50).String() + " p99 " + at(99).String()
}

func (g *gateLoad) end() map[string]bool {
	g.stop()
	g.wg.Wait()
	return g.acked
}

// TestANodeOutlivesItsServers is R6 and R8 in their fast form, on the whole node with real servers behind proxies: whatever
// happens to ClickHouse or Redis, scans are taken in, goroutines stay below twice what they were, both heal alone, and
// everything acknowledged is counted once in the end. Without a copy of the state there is nothing to decide from: a node
// that starts without Redis for the first time waits.
func TestANodeOutlivesItsServers(t *testing.T) {
	redis, ch := realserver.StartRedis(t, realserver.RedisSurvivesKill...), realserver.StartClickHouse(t)
	pr, pc := realserver.StartProxy(t, redis.Addr), realserver.StartProxy(t, ch.Addr)
	pc.Set(realserver.Refuse)
	pr.Set(realserver.Refuse)
	dir := t.TempDir()
	started := make(chan *server, 1)
	go func() { // it waits for Redis
		started <- startServer(t, filepath.Join(dir, "one"), "--redis", pr.Addr, "--redis-password", redis.Password, "--redis-new",
			"--clickhouse", pc.Addr, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password)
	}()
	select {
	case <-started:
		t.Fatal("a node without its state took up work")
	case <-time.After(2 * time.Second):
	}
	pr.Set(realserver.Pass)
	var s *server
	select {
	case s = <-started:
	case <-time.After(3 * time.Minute):
		t.Fatal("the node did not take up work when Redis came")
	}
	defer s.kill()
	if _, text := s.body(t, "/readyz"); !strings.Contains(text, "warehouse") {
		t.Errorf("readyz: %s", text)
	}
	g := s.load(t, 4)
	defer g.end()
	g.more(t, "ClickHouse absent from the start", 100)
	within(t, "readyz says that the warehouse does not answer", func() bool {
		_, text := s.body(t, "/readyz")
		return strings.Contains(text, "passages wait in the journal")
	})
	pc.Set(realserver.Pass)
	g.more(t, "both there", 100)
	within(t, "everybody is copied", func() bool { return s.figure(t, "kangma_state_copy_age_seconds") >= 0 })
	before := s.figure(t, "go_goroutines")
	pass := func() { pc.Set(realserver.Pass); pc.Delay(0); pr.Set(realserver.Pass); pr.Delay(0) }
	for _, fault := range []struct {
		what string
		set  func()
		undo func()
	}{
		{"ClickHouse a black hole", func() { pc.Set(realserver.Hole) }, pass},
		{"ClickHouse's answers lost", func() { pc.Set(realserver.Mute) }, pass},
		{"ClickHouse half open", func() { pc.Set(realserver.Half) }, pass},
		{"ClickHouse 5 s late", func() { pc.Delay(5 * time.Second) }, pass},
		{"ClickHouse frozen", ch.Freeze, ch.Thaw},
		{"ClickHouse killed", ch.Kill, func() { start(t, ch.Process) }},
		{"Redis refuses", func() { pr.Set(realserver.Refuse) }, pass},
		{"Redis a black hole", func() { pr.Set(realserver.Hole) }, pass},
		{"Redis' answers lost", func() { pr.Set(realserver.Mute) }, pass},
		{"Redis half open", func() { pr.Set(realserver.Half) }, pass},
		{"Redis 5 s late", func() { pr.Delay(5 * time.Second) }, pass},
		{"Redis frozen", redis.Freeze, redis.Thaw},
		{"Redis killed", redis.Kill, func() { start(t, redis.Process) }},
	} {
		fault.set()
		began := time.Now()
		if strings.HasPrefix(fault.what, "Redis") {
			within(t, fault.what+": nobody waits for it", func() bool { return s.figure(t, "kangma_state_absent") == 1 })
			t.Logf("%-34s breaker open within %v", fault.what, time.Since(began).Round(10*time.Millisecond))
		}
		g.more(t, fault.what, 30)
		if now := s.figure(t, "go_goroutines"); now > 2*before {
			t.Errorf("%s: %v goroutines, %v before", fault.what, now, before)
		}
		fault.undo()
		back := time.Now()
		within(t, "Redis is asked again", func() bool { return s.figure(t, "kangma_state_absent") == 0 })
		t.Logf("%-34s %v goroutines of %v; closed within %v", fault.what, s.figure(t, "go_goroutines"), before, time.Since(back).Round(10*time.Millisecond))
	}
	acked := g.end()
	gate := s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	s.checkAll(t, gate, acked)
	if n := ch.Must("SELECT count() - uniqExact(id) FROM kangma.passages FINAL"); n != "0" {
		t.Errorf("%s passages are there twice", n)
	}
	within(t, "readyz says that all is well", func() bool {
		status, text := s.body(t, "/readyz")
		return status == 200 && !strings.Contains(text, "not answering")
	})
}

func start(t *testing.T, p *realserver.Process) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Error(err)
	}
}

// figure reads one figure without labels from /metrics; NaN: it is not there.
func (s *server) figure(t *testing.T, name string) float64 {
	t.Helper()
	_, text := s.body(t, "/metrics")
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key == name {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return math.NaN()
}

// problem posts a scan and gives the status and the Retry-After of the answer.
func (g *gateLoad) problem(t *testing.T) (status int, retry string) {
	t.Helper()
	raw, err := json.Marshal(map[string]string{"code": g.code, "gate": "metro-1", "event": kangma.NewEventID(time.Now()).String()})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", g.s.url+"/v1/scans", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode, res.Header.Get("Retry-After")
}
