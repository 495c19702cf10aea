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
