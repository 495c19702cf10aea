package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

// corrupt changes a byte in the middle of the journal's last segment.
func corrupt(t *testing.T, data string) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(data, "journal", "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments: %v %v", segments, err)
	}
	last := segments[len(segments)-1]
	raw, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 0x40
	if err := os.WriteFile(last, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// body gets a page.
func (s *server) body(t *testing.T, path string) (status int, text string) {
	t.Helper()
	res, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// scan shows the green resident's code at the metro and gives the status and the decision.
func (s *server) scan(t *testing.T) (status int, decision string) {
	t.Helper()
	gate := s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"})
	return s.scanCode(t, gate, s.code(t))
}

func (s *server) code(t *testing.T) string {
	t.Helper()
	var code struct{ Code string }
	if status, err := s.call(t.Context(), "GET", "/v1/me/code", s.resident(t, "13800000001"), nil, &code); err != nil || code.Code == "" {
		t.Fatalf("code: %d %v", status, err)
	}
	return code.Code
}

func (s *server) scanCode(t *testing.T, gate, code string) (status int, decision string) {
	t.Helper()
	var v struct{ Decision string }
	status, err := s.call(t.Context(), "POST", "/v1/scans", gate,
		map[string]string{"code": code, "gate": "metro-1", "event": kangma.NewEventID(time.Now()).String()}, &v)
	if err != nil {
		t.Fatal(err)
	}
	return status, v.Decision
}

// TestADamagedJournalIsServedReadOnlyAndRepairedFromTheWarehouse is R3 on the whole node: it starts, says what is wrong, takes nothing in, and
// the passages come back from the warehouse.
func TestADamagedJournalIsServedReadOnlyAndRepairedFromTheWarehouse(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	must(t, "demo", "--data", data)
	c := options(data)
	c.JournalKeep = 0
	n := startServing(t, c, time.Hour)
	n.work(t, rand.New(rand.NewPCG(13, 13)), 1000)
	if err := n.shipper.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, "the state has got to the journal's end", func() bool { return n.registry.Applied() == n.journal.Last() })
	n.stop(t)
	corrupt(t, data)
	if out, code := command(t, "audit", "fsck", "--data", data); code != exitDenied {
		t.Errorf("fsck: %d %s", code, out)
	}

	s := startServer(t, data)
	if status, text := s.body(t, "/readyz"); !strings.Contains(text, "damaged in 1 places") {
		t.Errorf("readyz: %d %s", status, text)
	}
	if _, text := s.body(t, "/metrics"); !strings.Contains(text, "kangma_journal_read_only 1") {
		t.Error("the metrics do not say that the journal is read-only")
	}
	if status, decision := s.scan(t); status != http.StatusServiceUnavailable || decision == "pass" {
		t.Errorf("a scan that cannot be kept: %d %q, want 503", status, decision)
	}
	s.kill()

	state := stateOf(t, "--data", data)
	// Recorded in one group commit, the neighbours give away when it was recorded, and the chain proves it.
	out := must(t, "repair", "--data", data)
	if !strings.Contains(out, "repaired 1 places: 1 entries put back") || !strings.Contains(out, " 0 lost") {
		t.Errorf("got %s", out)
	}
	must(t, "audit", "fsck", "--data", data)
	if got := stateOf(t, "--data", data); got != state {
		t.Errorf("the state is %s, was %s", got, state)
	}
	s = startServer(t, data)
	defer s.kill()
	if status, text := s.body(t, "/readyz"); status != 200 || strings.Contains(text, "damaged") {
		t.Errorf("readyz: %d %s", status, text)
	}
	if status, decision := s.scan(t); status != 200 || decision != "pass" {
		t.Errorf("a scan after the repair: %d %q", status, decision)
	}
}
