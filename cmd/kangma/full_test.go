package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fill takes all the space that is left on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err == nil {
			continue
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		size /= 2
	}
}

// TestAFullDiskAcknowledgesNothing is R7 on the whole node: the journal's disk, a real one of 32 MB, runs full. Scans are refused with a time to try
// again, codes are still shown, and with the first space it goes on.
func TestAFullDiskAcknowledgesNothing(t *testing.T) {
	data := t.TempDir()
	disk := filepath.Join(data, "journal")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=32m"); err != nil {
		t.Logf("mounting is not permitted here (%v); store/journal runs the same on a disk in memory", err)
		return
	}
	defer unix.Unmount(disk, unix.MNT_DETACH)
	s := startServer(t, data)
	defer s.kill()
	g := s.load(t, 2)
	defer g.end()
	g.more(t, "space", 30)
	filler := filepath.Join(disk, "filler")
	within(t, "the disk is full and the ballast used up", func() bool { // the ballast is given up first, when others write too
		fill(t, filler)
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
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	g.more(t, "space again", 30)
	acked := g.end()
	s.checkAll(t, s.logIn(t, map[string]string{"username": "gate", "password": "gate-demo-2022"}), acked)
}
