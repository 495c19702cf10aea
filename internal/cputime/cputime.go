// Package cputime measures processor time: unlike the time on the wall it means something on a machine that others use too.
package cputime

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Process gives the processor time (user and system) that this process has used so far; 0 where the system does not tell.
func Process() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Report adds the microseconds of processor time for each operation since a moment of Process to a benchmark's line.
func Report(b *testing.B, since time.Duration) {
	b.Helper()
	b.ReportMetric(float64(Process()-since)/1e3/float64(b.N), "cpu-µs/op")
}
