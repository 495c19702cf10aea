package main

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/internal/realserver"
)

// TestAFullDiskAcknowledgesNothing is R7 on the whole node: the journal's disk, a real one of 32 MB, runs full. Scans are refused with a time to try
// again, codes are still shown, and with the first space it goes on.
func TestAFullDiskAcknowledgesNothing(t *testing.T) {
	data := t.TempDir()
	disk := filepath.Join(data, "journal")
	realserver.SmallDisk(t, disk, 32)
	s := startServer(t, data)
	defer s.kill()
	g := s.load(t, 2)
	defer g.end()
	g.more(t, "space", 30)
	var free func()
	within(t, "the disk is full and the ballast used up", func() bool { // the ballast is given up first, when others write too
		free = realserver.Fill(t, disk)
		for range 5 {
			status, retry := g.problem(t)
			if status != http.StatusServiceUnavailable {
				return false
			}
			if retry == "" {
				t.Error("a refusal without a time to try again")
			}
		}
		return true
	})
	if status, _ := s.body(t, "/v1/trust-list"); status != http.StatusOK {
		t.Errorf("what gates need to verify alone: %d", status)
	}
	var code struct{ Code string }
	if status, err := s.call(t.Context(), "GET", "/healthz", "", nil, &code); err != nil || status != http.StatusOK {
		t.Errorf("healthz: %d %v", status, err)
	}
	free()
	g.more(t, "space again", 30)
	acked := g.end()
	s.checkAll(t, s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"}), acked)
}
