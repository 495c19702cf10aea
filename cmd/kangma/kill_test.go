package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
)

// server is a child process that serves the demo town and may be killed.
type server struct {
	cmd *exec.Cmd
	url string
	mu  sync.Mutex
	out bytes.Buffer
}

var listening = regexp.MustCompile(`listening on (http://\S+)`)

func startServer(t *testing.T, data string, flags ...string) *server {
	t.Helper()
	return startServerIn(t, nil, data, flags...)
}

// startServerIn starts a server with more in its environment.
func startServerIn(t *testing.T, env []string, data string, flags ...string) *server {
	t.Helper()
	s := &server{}
	s.cmd = exec.Command(os.Args[0], "serve", "--demo", "--listen", "127.0.0.1:0", "--data", data)
	s.cmd.Args = append(s.cmd.Args, flags...)
	s.cmd.Path = testCommand(t)
	s.cmd.Args[0] = "kangma"
	s.cmd.Env = append(os.Environ(), env...)
	pipe, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = &lockedWriter{s: s}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		sc := bufio.NewScanner(pipe)
		for sc.Scan() {
			(&lockedWriter{s: s}).Write(append(sc.Bytes(), '\n'))
			if m := listening.FindStringSubmatch(sc.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case s.url = <-found:
	case <-time.After(120 * time.Second):
		s.kill()
		t.Fatalf("the server did not start:\n%s", s.output())
	}
	return s
}

type lockedWriter struct{ s *server }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.out.Write(p)
}

func (s *server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// testCommand finds the kangma that testscript put on the PATH: this test binary under another name.
func testCommand(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("kangma")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *server) call(ctx context.Context, method, path, token string, body any, into any) (int, error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, r)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	return res.StatusCode, json.NewDecoder(res.Body).Decode(into)
}

func (s *server) logIn(t *testing.T, body map[string]string) string {
	t.Helper()
	var out struct{ Token string }
	if status, err := s.call(t.Context(), "POST", "/v1/sessions", "", body, &out); err != nil || out.Token == "" {
		t.Fatalf("log in: %d %v\n%s", status, err, s.output())
	}
	return out.Token
}

// resident logs a demo resident in with the one-time password the demo prints.
func (s *server) resident(t *testing.T, phone string) string {
	t.Helper()
	var sent struct{ Status string }
	if _, err := s.call(t.Context(), "POST", "/v1/sessions", "", map[string]string{"phone": phone}, &sent); err != nil {
		t.Fatal(err)
	}
	otp := regexp.MustCompile(`one-time password for \S+` + phone[7:] + `: (\d{6})`)
	for range 3000 {
		if all := otp.FindAllStringSubmatch(s.output(), -1); len(all) > 0 {
			return s.logIn(t, map[string]string{"phone": phone, "otp": all[len(all)-1][1]})
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("no one-time password was printed")
	return ""
}

// TestKill9LosesNoAcknowledgedPassage kills the server again and again in the middle of scans: every passage that was
// answered is there after the restart, once.
func TestKill9LosesNoAcknowledgedPassage(t *testing.T) {
	data := t.TempDir()
	rnd := rand.New(rand.NewPCG(soak.Seed(t, 0), 1))
	acked := map[string]bool{}
	var mu sync.Mutex
	kills := soak.Times(4, 100)
	most := min(200, 9000/8/kills) // all rounds together stay under what one list shows
	for round := range soak.Rounds(t, 4, 100) {
		s := startServer(t, data)
		gate := s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
		me := s.resident(t, "13800000001")
		var code struct{ Code string }
		if _, err := s.call(t.Context(), "GET", "/v1/me/code", me, nil, &code); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil && n < most; n++ {
					event := kangma.NewEventID(time.Now()).String()
					var v struct{ Decision string }
					status, err := s.call(ctx, "POST", "/v1/scans", gate, map[string]string{"code": code.Code, "gate": "metro-1", "event": event}, &v)
					if err == nil && status == 200 && v.Decision == "pass" {
						mu.Lock()
						acked[event] = true
						mu.Unlock()
					}
				}
			})
		}
		within(t, "something is acknowledged", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(acked) > 5*round
		})
		time.Sleep(time.Duration(100+rnd.IntN(700)) * time.Millisecond)
		s.kill()
		stop()
		wg.Wait()
		t.Logf("round %d: %d acknowledged so far", round, len(acked))
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged: the test tested nothing")
	}
	s := startServer(t, data)
	defer s.kill()
	gate := s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	s.checkAll(t, gate, acked)
	s.kill()
	auditEach(t, data, acked)
}

// auditEach compares with kangma audit passages, and sees that it can find a fault.
func auditEach(t *testing.T, data string, acked map[string]bool) {
	t.Helper()
	ids := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(ids, []byte(strings.Join(slices.Collect(maps.Keys(acked)), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	audit := func(fine bool, want string) {
		t.Helper()
		out, err := exec.Command(testCommand(t), "audit", "passages", "--data", data, "--acknowledged", ids).CombinedOutput()
		if (err == nil) != fine || !strings.Contains(string(out), want) {
			t.Errorf("got %v: %s\nwant %q", err, out, want)
		}
	}
	audit(true, fmt.Sprintf("acknowledged: %d, lost 0;", len(acked)))
	db, err := sql.Open("sqlite3", filepath.Join(data, "warehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("DELETE FROM passage WHERE id = (SELECT id FROM passage LIMIT 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	audit(false, "1 missing there")
}

// checkAll waits until everything is shipped and compares what the gate's list says with what was acknowledged.
func (s *server) checkAll(t *testing.T, gate string, acked map[string]bool) {
	t.Helper()
	missing := ""
	for range 900 {
		var list struct {
			Passages []struct{ Event string }
		}
		if _, err := s.call(t.Context(), "GET", "/v1/gates/metro-1/passages?limit=10000", gate, nil, &list); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, p := range list.Passages {
			seen[p.Event]++
		}
		missing = ""
		for e := range acked {
			if seen[e] != 1 {
				missing = fmt.Sprintf("%s is there %d times (%d listed, %d acknowledged)", e, seen[e], len(list.Passages), len(acked))
			}
		}
		if missing == "" {
			t.Logf("%d acknowledged, all there once; %d listed", len(acked), len(list.Passages))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error(missing)
}

func TestASecondProcessIsRefused(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data)
	defer s.kill()
	out, err := exec.Command(testCommand(t), "code", "issue", "13800000001", "--data", data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "journal") {
		t.Errorf("got %v: %s", err, out)
	}
	if out, err := exec.Command(testCommand(t), "keys", "list", "--data", data).CombinedOutput(); err != nil || !strings.Contains(string(out), "active") {
		t.Errorf("what only reads works beside a server: %v: %s", err, out)
	}
}

func TestTheServerTellsItsFiguresAndItsState(t *testing.T) {
	s := startServer(t, t.TempDir())
	defer s.kill()
	for path, want := range map[string]string{
		"/metrics": "kangma_rules_in_force 1", "/readyz": `"status":"ok"`, "/healthz": `"status":"ok"`, "/resident": "<html", "/openapi.json": `"openapi":"3.1`,
	} {
		res, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %v, want %q in %.200s", path, res.StatusCode, err, want, body)
		}
	}
}
