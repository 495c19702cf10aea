package main

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
)

// TestTwoNodesOnRedisAndClickHouseAreOneTown runs two nodes on one Redis and one ClickHouse: what one takes in the other
// knows, what one publishes is in force on the other, passages of both are counted together; Redis loses everything,
// says so, and is filled again from the journals.
func TestTwoNodesOnRedisAndClickHouseAreOneTown(t *testing.T) {
	redis, ch := realserver.StartRedis(t), realserver.StartClickHouse(t)
	dir := t.TempDir()
	flags := func(node string) []string {
		return []string{"--node", node, "--key-folder", filepath.Join(dir, "keys"), "--redis", redis.Addr, "--redis-password", redis.Password,
			"--clickhouse", ch.Addr, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password}
	}
	one := startServer(t, filepath.Join(dir, "one"), append(flags("one"), "--redis-new")...)
	defer one.kill()
	two := startServer(t, filepath.Join(dir, "two"), flags("two")...)
	defer two.kill()

	me := one.resident(t, "13800000001")
	gate := two.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	var code struct{ Code, Colour string }
	if _, err := one.call(t.Context(), "GET", "/v1/me/code", me, nil, &code); err != nil || code.Colour != "green" {
		t.Fatalf("%+v %v", code, err)
	}
	for _, s := range []*server{one, two} {
		var v struct{ Decision string }
		if status, err := s.call(t.Context(), "POST", "/v1/scans", gate, map[string]string{"code": code.Code, "gate": "metro-1"}, &v); err != nil || v.Decision != "pass" {
			t.Fatalf("%d %+v %v\n%s", status, v, err, s.output())
		}
	}
	epi := one.logIn(t, map[string]string{"username": "epi", "password": "epi-demo-2022"})
	await(t, "both passages are counted", func() bool {
		var hours struct{ Rows []struct{ Count int } }
		n := 0
		if _, err := two.call(t.Context(), "GET", "/v1/analytics/passages-by-hour", epi, nil, &hours); err == nil {
			for _, r := range hours.Rows {
				n += r.Count
			}
		}
		return n == 2
	})

	admin := one.logIn(t, map[string]string{"username": "admin", "password": "admin-demo-2022"})
	before := two.digest(t)
	one.publishChanged(t, admin)
	await(t, "the other node follows the publication", func() bool { return two.digest(t) != before })

	redis.Must("FLUSHALL")
	var shown scanned
	if status, err := two.call(t.Context(), "GET", "/v1/me/code", me, nil, &shown); err != nil || status != http.StatusServiceUnavailable && (status != 200 || shown.AsOf.IsZero()) {
		t.Errorf("Redis lost everything: got %d %+v %v, want 503 or what was last known: nobody may be unknown by mistake", status, shown, err)
	}
	one.kill()
	two.kill()
	args := append([]string{"rebuild", "--data", filepath.Join(dir, "one"), "--journals", "two=" + filepath.Join(dir, "two", "journal")}, flags("one")...)
	if out, err := exec.Command(testCommand(t), args...).CombinedOutput(); err != nil || !strings.Contains(string(out), "rebuilt: 3 people") {
		t.Fatalf("%v: %s", err, out)
	}
	one = startServer(t, filepath.Join(dir, "one"), flags("one")...)
	defer one.kill()
	for what, token := range map[string]string{"resident": me, "staff": gate} { // log-ins are in no journal
		if status, err := one.call(t.Context(), "GET", "/v1/session", token, nil, nil); err != nil || status != http.StatusUnauthorized {
			t.Errorf("a %s's log-in of before Redis lost everything: %d %v, want 401", what, status, err)
		}
	}
	me = one.resident(t, "13800000003")
	if _, err := one.call(t.Context(), "GET", "/v1/me/code", me, nil, &code); err != nil || code.Colour != "red" {
		t.Errorf("rebuilt: %+v %v", code, err)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 900 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// digest gives the digest of the rules in force.
func (s *server) digest(t *testing.T) string {
	t.Helper()
	var out struct{ Rules struct{ Digest string } }
	if _, err := s.call(t.Context(), "GET", "/v1/rule-sets/current", "", nil, &out); err != nil {
		t.Fatal(err)
	}
	return out.Rules.Digest
}

// publishChanged publishes the rules in force with a comment more: another digest, the same colours.
func (s *server) publishChanged(t *testing.T, admin string) {
	t.Helper()
	raw := append([]byte("# changed\n"), presetFile(t)...)
	req, err := http.NewRequest("PUT", s.url+"/v1/rule-sets/national-9th-2022", strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+admin)
	req.Header.Set("Content-Type", "application/yaml")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
}

func presetFile(t *testing.T) []byte {
	t.Helper()
	raw, err := presetNow(demoRules)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
