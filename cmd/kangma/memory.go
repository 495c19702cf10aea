package main

import (
	"os"
	"runtime/debug"
)

// A request leaves some ten kilobytes of garbage. Collecting when the heap has doubled would spend a tenth of the
// processor on it at full speed; what that saves in memory is small beside the caches.
const gcPercent = 400

// tuneMemory trades memory for processor time while serving. GOGC and GOMEMLIMIT, where set, decide instead.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
