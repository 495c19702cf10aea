package api

import (
	"net"
	"testing"
	"time"
)

// TestPlacesAreScarceFromHalfOn lets connections in and out again.
func TestPlacesAreScarceFromHalfOn(t *testing.T) {
	d := &doors{throttle: newThrottle(8, time.Now), limit: 4}
	var in []net.Conn
	for i := range 4 {
		if got, want := d.scarce(), i > 2; got != want {
			t.Errorf("with %d of 4 open: scarce %v", i, got)
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
