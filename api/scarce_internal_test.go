package api

import (
	"net"
	"testing"
	"time"
)

// TestTheLastEighthOfThePlacesIsScarce lets connections in and out again.
func TestTheLastEighthOfThePlacesIsScarce(t *testing.T) {
	d := &doors{throttle: newThrottle(8, time.Now), limit: 16}
	var in []net.Conn
	for i := range 16 {
		scarce := i > 14
		for c, want := range map[class]bool{forGates: true, forResidents: !scarce, forFeeds: !scarce} {
			if got := d.keeps(c, false); got != want {
				t.Errorf("with %d of 16 open: class %d keeps its connection: %v", i, c, got)
			}
		}
		if !d.keeps(forResidents, true) {
			t.Errorf("with %d of 16 open: a proxy does not keep its connection", i)
		}
		ours, theirs := net.Pipe()
		t.Cleanup(func() { theirs.Close() })
		in = append(in, d.admit(ours))
	}
	for _, c := range in[1:] {
		c.Close()
		c.Close() // counted once
	}
	if d.scarce() || d.held.Load() != 1 {
		t.Errorf("%d held when one is open", d.held.Load())
	}
	in[0].Close()
}

// Journal and stores need files of their own, however many come.
func TestThoseWhoAreTurnedAwayLeaveFilesForTheStores(t *testing.T) {
	for files, want := range map[int64][2]int{0: {64, 64}, 1024: {512, 64}, 4096: {3584, 64}, 17_000: {maxConns, 104}, 1 << 20: {maxConns, maxUshers}} {
		conns, ushers := divideFiles(files)
		if conns != want[0] || ushers != want[1] {
			t.Errorf("%d files: %d connections and %d who are waited with, want %v", files, conns, ushers, want)
		}
		if left := files - int64(conns+ushers); files >= 1024 && left < spareFiles*7/8 {
			t.Errorf("%d files: %d are left for everything else", files, left)
		}
	}
}
