package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
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
	g := &gateLoad{s: s, acked: map[string]bool{}, code: s.code(t)}
	g.token = s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	ctx, stop := context.WithCancel(t.Context())
	g.stop = stop
	for range workers {
		g.wg.Go(func() {
			for ctx.Err() == nil {
				g.one(ctx)
				time.Sleep(20 * time.Millisecond)
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

// none waits until so many were refused, after which none may be acknowledged.
func (g *gateLoad) none(t *testing.T, what string, n int) {
	t.Helper()
	_, start := g.counts()
	within(t, what+": scans are refused", func() bool { _, now := g.counts(); return now >= start+5 })
	g.mu.Lock()
	g.took = nil
	g.mu.Unlock()
	before, refusedBefore := g.counts()
	within(t, what+": scans are refused", func() bool { _, now := g.counts(); return now >= refusedBefore+n })
	if now, _ := g.counts(); now > before+4 { // what was under way when it began may still come
		t.Errorf("%s: %d scans were acknowledged", what, now-before)
	}
	_, refused := g.counts()
	t.Logf("%-34s    0 acknowledged, %3d refused, %s", what, refused-refusedBefore, g.percentiles())
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

// TestANodeOutlivesItsServers is R5, R6, R8 and R25 in their fast form, on the whole node with real servers behind proxies: whatever happens to
// ClickHouse, scans are taken in; without Redis they are refused and never acknowledged; both heal alone, and everything
// acknowledged is counted once in the end.
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
	for _, fault := range []struct {
		what string
		set  func()
		undo func()
	}{
		{"ClickHouse a black hole", func() { pc.Set(realserver.Hole) }, func() { pc.Set(realserver.Pass) }},
		{"ClickHouse's answers lost", func() { pc.Set(realserver.Mute) }, func() { pc.Set(realserver.Pass) }},
		{"ClickHouse half open", func() { pc.Set(realserver.Half) }, func() { pc.Set(realserver.Pass) }},
		{"ClickHouse 500 ms late", func() { pc.Delay(500 * time.Millisecond) }, func() { pc.Delay(0) }},
		{"ClickHouse frozen", ch.Freeze, ch.Thaw},
		{"ClickHouse killed", ch.Kill, func() {
			if err := ch.Start(); err != nil {
				t.Error(err)
			}
		}},
	} {
		fault.set()
		g.more(t, fault.what, 60)
		fault.undo()
	}
	for _, fault := range []struct {
		what string
		set  func()
		undo func()
	}{
		{"Redis refuses", func() { pr.Set(realserver.Refuse) }, func() { pr.Set(realserver.Pass) }},
		{"Redis a black hole", func() { pr.Set(realserver.Hole) }, func() { pr.Set(realserver.Pass) }},
		{"Redis frozen", redis.Freeze, redis.Thaw},
	} {
		fault.set()
		g.none(t, fault.what, 40)
		fault.undo()
		back := time.Now()
		g.more(t, "and back", 40)
		t.Logf("%-34s heals in less than %v", fault.what, time.Since(back).Round(10*time.Millisecond))
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
