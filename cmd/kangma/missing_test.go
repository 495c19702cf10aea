package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store/embedded"
)

// softToken makes a SoftHSM token, which the key folder uses, and gives the folder it lies in.
func softToken(t *testing.T, dir, keys string) (tokens string) {
	t.Helper()
	const pin = "2022-0110"
	module := "/usr/lib/softhsm/libsofthsm2.so"
	util, err := exec.LookPath("softhsm2-util")
	if _, statErr := os.Stat(module); err != nil || statErr != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must have SoftHSM (apt-get install softhsm2)")
		}
		t.Skip("NOT TESTED: SoftHSM is not installed (apt-get install softhsm2)")
	}
	tokens = filepath.Join(dir, "tokens")
	if err := os.MkdirAll(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", tokenConf(t, tokens))
	if out, err := exec.Command(util, "--init-token", "--free", "--label", "kangma", "--so-pin", "9"+pin, "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pinFile := filepath.Join(dir, "pin")
	if err := os.WriteFile(pinFile, []byte(pin), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "keys", "token", "--module", module, "--label", "kangma", "--pin-file", pinFile, "--data", filepath.Join(dir, "first"), "--key-folder", keys)
	return tokens
}

// tokenConf is the configuration of SoftHSM for the tokens in a folder.
func tokenConf(t *testing.T, tokens string) string {
	t.Helper()
	file := tokens + ".conf"
	if err := os.WriteFile(file, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Error(err)
	}
	return file
}

// absent is one of the sixteen ways to start.
type absent struct{ redis, clickhouse, token, feeds bool }

func (m absent) String() string {
	var all []string
	for name, gone := range map[string]bool{"Redis": m.redis, "ClickHouse": m.clickhouse, "token": m.token, "feeds": m.feeds} {
		if gone {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "nothing is missing"
	}
	return strings.Join(all, ", ") + " missing"
}

// TestEveryPartMayBeMissingAtTheStart is R25: a node that has served before starts with each of the sixteen combinations of
// {Redis, ClickHouse, token with the signing keys, feeds} missing. It is ready, says what is missing, takes scans in,
// signs no code without its keys, and heals by itself when all is there.
func TestEveryPartMayBeMissingAtTheStart(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	tokens := softToken(t, dir, keys)
	redis, ch := realserver.StartRedis(t, realserver.RedisSurvivesKill...), realserver.StartClickHouse(t)
	flags := func(node, redisAt, clickhouseAt string) []string {
		return []string{"--node", node, "--key-folder", keys, "--redis", redisAt, "--redis-password", redis.Password,
			"--clickhouse", clickhouseAt, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password, "--snapshot-every", "0s"}
	}
	served := filepath.Join(dir, "served")
	first := startServer(t, served, append(flags("served", redis.Addr, ch.Addr), "--redis-new")...)
	defer func() { first.kill() }()
	me := first.resident(t, "13800000001")
	gate := first.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	official := first.logIn(t, map[string]string{"username": "official", "password": "official-demo-2022"})
	code := first.shown(t, me)
	for _, limit := range []string{"1h", "1ns"} {
		first.setFeed(t, official, limit)
		within(t, "all of it is copied", func() bool {
			return hasCopied(t, served, limit) && first.figure(t, "kangma_state_copy_age_seconds") >= 0
		})
		first.kill()
		var all [8]*startedNode
		var wg sync.WaitGroup
		for n := range all {
			m := absent{n&1 != 0, n&2 != 0, n&4 != 0, limit == "1ns"}
			all[n] = &startedNode{absent: m, redis: realserver.StartProxy(t, redis.Addr), clickhouse: realserver.StartProxy(t, ch.Addr), tokens: filepath.Join(dir, fmt.Sprintf("tokens-%d-%s", n, limit))}
			wg.Go(func() { all[n].start(t, served, tokens, flags, fmt.Sprintf("n%d-%s", n, limit)) })
		}
		wg.Wait()
		for _, s := range all {
			wg.Go(func() { s.check(t, me, gate, code) })
		}
		wg.Wait()
		for _, s := range all {
			s.bringBack(t, tokens)
		}
		all[0].setFeed(t, official, "1h")
		for _, s := range all {
			wg.Go(func() { s.checkHealed(t) })
		}
		wg.Wait()
		if limit == "1h" {
			all[0].catchesMutants(t, me, gate, all[0].shown(t, me))
			first = startServer(t, served, flags("served", redis.Addr, ch.Addr)...)
		}
	}
}

// startedNode is a node that starts with something missing.
type startedNode struct {
	*server
	absent
	redis, clickhouse *realserver.Proxy
	tokens            string
}

func (s *startedNode) start(t *testing.T, served, tokens string, flags func(node, redisAt, clickhouseAt string) []string, node string) {
	if s.absent.redis {
		s.redis.Set(realserver.Refuse)
	}
	if s.absent.clickhouse {
		s.clickhouse.Set(realserver.Refuse)
	}
	mine := tokens
	if s.absent.token {
		mine = s.tokens
		if err := os.MkdirAll(mine, 0o700); err != nil {
			t.Error(err)
		}
	}
	data := filepath.Join(filepath.Dir(served), node)
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Error(err)
	}
	for _, end := range []string{"", "-wal"} {
		raw, err := os.ReadFile(filepath.Join(served, "replica.db"+end))
		if err == nil {
			err = os.WriteFile(filepath.Join(data, "replica.db"+end), raw, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	began := time.Now()
	s.server = startServerIn(t, []string{"SOFTHSM2_CONF=" + tokenConf(t, mine)}, data, flags(node, s.redis.Addr, s.clickhouse.Addr)...)
	t.Cleanup(s.kill)
	t.Logf("%-48s serves after %v", s, time.Since(began).Round(10*time.Millisecond))
}

func (s *startedNode) check(t *testing.T, me, gate, code string) {
	if what := s.wrong(t, me, gate, code, time.Minute); what != "" {
		t.Errorf("%s: %s", s, what)
	}
}

// wrong says what a node does other than it should with these parts missing; empty: nothing.
func (s *startedNode) wrong(t *testing.T, me, gate, code string, patience time.Duration) string {
	m := s.absent
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		status, text := s.body(t, "/readyz")
		if status == http.StatusOK && m.redis == strings.Contains(text, "shared_state") && m.token == strings.Contains(text, `"keys"`) &&
			m.clickhouse == strings.Contains(text, "passages wait in the journal") && m.feeds == strings.Contains(text, "silent: cdc") {
			break
		}
		if time.Now().After(end) {
			return fmt.Sprintf("readyz: %d %s", status, text)
		}
	}
	event := map[string]string{"code": code, "gate": "metro-1", "event": kangma.NewEventID(time.Now()).String()}
	var v scanned
	if status, err := s.call(t.Context(), "POST", "/v1/scans", gate, event, &v); err != nil || status != http.StatusOK || v.AsOf.IsZero() == m.redis && v.Told {
		return fmt.Sprintf("scan: %d %v %+v", status, err, v)
	}
	want := http.StatusOK
	if m.token {
		want = http.StatusServiceUnavailable
	}
	if status, err := s.call(t.Context(), "GET", "/v1/me/code", me, nil, nil); err != nil || status != want {
		return fmt.Sprintf("show: %d %v, want %d", status, err, want)
	}
	return ""
}

// catchesMutants breaks a node in the ways that the test is there for, one at a time: it says nothing of a part that is missing, it refuses
// scans without Redis, it signs codes without its keys, it is not ready.
func (s *startedNode) catchesMutants(t *testing.T, me, gate, code string) {
	s.check(t, me, gate, code)
	for _, m := range []absent{{redis: true}, {clickhouse: true}, {token: true}, {feeds: true}} {
		silent := &startedNode{server: s.server, absent: m} // this one has all its parts, so it does not say so
		if silent.wrong(t, me, gate, code, time.Second) == "" {
			t.Errorf("a node that does not say %q was not caught", m)
		}
	}
	for what, answer := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"a node that refuses scans": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/scans" {
				return false
			}
			http.Error(w, "{}", http.StatusServiceUnavailable)
			return true
		},
		"a node that is not ready": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/readyz" {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		},
		"a node that signs without its keys": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/readyz" {
				return false
			}
			fmt.Fprint(w, `{"status":"degraded","parts":{"keys":"away"}}`)
			return true
		},
	} {
		to, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		rest := httputil.NewSingleHostReverseProxy(to)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !answer(w, r) {
				rest.ServeHTTP(w, r)
			}
		}))
		broken := &startedNode{server: &server{url: front.URL}, absent: absent{token: strings.Contains(what, "keys")}}
		if broken.wrong(t, me, gate, code, time.Second) == "" {
			t.Errorf("%s was not caught", what)
		}
		front.Close()
	}
}

func (s *startedNode) bringBack(t *testing.T, tokens string) {
	s.redis.Set(realserver.Pass)
	s.clickhouse.Set(realserver.Pass)
	if s.absent.token {
		if err := os.CopyFS(s.tokens, os.DirFS(tokens)); err != nil {
			t.Error(err)
		}
	}
}

func (s *startedNode) checkHealed(t *testing.T) {
	within(t, s.String()+": heals", func() bool {
		_, text := s.body(t, "/readyz")
		return strings.Contains(text, `"status":"ok"`)
	})
}

// setFeed sets when the feed's silence is an alarm.
func (s *server) setFeed(t *testing.T, official, limit string) {
	t.Helper()
	if status, err := s.call(t.Context(), "PUT", "/v1/feeds/cdc", official, map[string]string{"silent_for": limit}, nil); err != nil || status != http.StatusOK {
		t.Fatalf("feed: %d %v", status, err)
	}
}

// hasCopied reports whether the copy in a node's folder has what was set last.
func hasCopied(t *testing.T, data, limit string) bool {
	t.Helper()
	db, err := embedded.Open(filepath.Join(data, "replica.db"), embedded.Options{Relaxed: true, SkipCheck: true, Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rec, err := db.Records().Get(t.Context(), "feed-config", "cdc")
	want, _ := time.ParseDuration(limit)
	return err == nil && strings.Contains(string(rec.Data), fmt.Sprintf(`"silent_for":%d`, want))
}
