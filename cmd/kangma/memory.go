package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma/store/cached"
)

const (
	// A request leaves some kilobytes of garbage. Collecting whenever the heap has doubled would spend a tenth of the
	// processor on it while the heap is small. Whom memory keeps costs the collector next to nothing (store/slab), so that it need
	// not run less often where there are many of them.
	gcMost     = 400 // percent
	gcLeast    = 20
	gcHeadroom = 512 << 20 // bytes of garbage between two collections, where the percentages and the memory allow it

	memoryShare = 0.7 // of the machine's or cgroup's memory, at which the collector works harder
	cacheShare  = 0.3 // of it for people, and as much for logins, at most
	behindShare = 0.1 // of it for changes that wait to be stored, at most
	leastEntry  = 512 // bytes of one of them in memory, about

	// SQLite keeps pages outside the heap, so that the collector's limit does not know of them: two files, five connections each.
	pageCacheMost  = 32 << 20
	pageCacheShare = 160 // of the memory for each connection: a sixteenth for all
)

// memoryLimit is what this process may use: GOMEMLIMIT, the cgroup's limit, or the machine's memory. 0: not known.
func memoryLimit() int64 {
	if l := debug.SetMemoryLimit(-1); l < math.MaxInt64 {
		return l
	}
	least := cgroupLimit("/")
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		line, _, _ := strings.Cut(string(raw), "\n")
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil && (least == 0 || kb<<10 < least) {
				least = kb << 10
			}
		}
	}
	return least
}

// behindBytes is how much of memory may hold changes that the journal has and the state file not yet.
func behindBytes() int64 {
	if l := memoryLimit(); l > 0 {
		return min(max(int64(float64(l)*behindShare), 16<<20), 2<<30)
	}
	return 64 << 20
}

// cacheOptions bound what memory keeps of people (and the same of logins): so many MiB as asked for, or a share of what there is.
func cacheOptions(mib int) cached.Options {
	bytes := int64(256 << 20)
	if mib > 0 {
		bytes = int64(mib) << 20
	} else if l := memoryLimit(); l > 0 {
		bytes = max(10<<20, int64(float64(l)*cacheShare))
	}
	return cached.Options{Entries: int(bytes / leastEntry), Bytes: bytes}
}

// pageCache is how many bytes of pages each connection of SQLite keeps; 0: the store's own measure.
func pageCache(limit int64) int {
	if limit <= 0 {
		return 0
	}
	return int(min(pageCacheMost, max(1<<20, limit/pageCacheShare)))
}

// tuneMemory trades memory for processor time while serving, until ctx ends. GOGC and GOMEMLIMIT, where set, decide instead.
func tuneMemory(ctx context.Context) {
	limit := memoryLimit()
	if limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(float64(limit) * memoryShare))
	}
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent(liveHeap(), limit))
	go func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				debug.SetGCPercent(gcPercent(liveHeap(), limit))
			}
		}
	}()
}

func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(s); s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}

// gcPercent gives about the same headroom to a small and a large heap: 512 MiB, but at most a quarter of a small memory.
func gcPercent(live uint64, limit int64) int {
	if live == 0 {
		return gcMost
	}
	headroom := uint64(gcHeadroom)
	if limit > 0 {
		headroom = min(headroom, uint64(limit)/4)
	}
	return int(min(gcMost, max(gcLeast, 100*headroom/live)))
}
