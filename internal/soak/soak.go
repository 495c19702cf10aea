// Package soak says how long the fault tests run. Each has a fast form, which make test runs, and a long one, which make soak runs.
// Only tests use it.
//
//	KANGMA_SOAK=1        the long forms
//	KANGMA_KILLS=N       so many rounds of every test that repeats a fault (kills, cuts), instead of its own number
//	KANGMA_ROUND_TIME=D  such a test begins no further round after so long (such as 90s; unset: no bound), but never does fewer than in its fast form
//	KANGMA_SEED=N        the seed, instead of the test's own or the clock's
package soak

import (
	"fmt"
	"iter"
	"os"
	"strconv"
	"testing"
	"time"
)

// Long reports whether the long forms run.
func Long() bool { return os.Getenv("KANGMA_SOAK") != "" }

// Times is how often a test repeats a fault: fast or long, or what KANGMA_KILLS says where that is more than fast.
func Times(fast, long int) int {
	n := fast
	if Long() {
		n = long
	}
	if set, err := strconv.Atoi(os.Getenv("KANGMA_KILLS")); err == nil {
		n = set
	}
	return max(fast, n)
}

// Rounds counts the rounds of a test from 0: Times of them, fewer where their time is up. Ten times on the way, and at the end, it says
// how far it is.
func Rounds(tb testing.TB, fast, long int) iter.Seq[int] {
	tb.Helper()
	n, began := Times(fast, long), time.Now()
	limit, err := time.ParseDuration(os.Getenv("KANGMA_ROUND_TIME"))
	if err != nil {
		limit = 0
	}
	return func(yield func(int) bool) {
		for i := range n {
			late := limit > 0 && i >= fast && time.Since(began) > limit
			if late || n > fast && i > 0 && i%max(1, n/10) == 0 {
				tb.Logf("round %d of %d after %v%s", i, n, time.Since(began).Round(time.Second), map[bool]string{true: ": its time is up"}[late])
			}
			if late || !yield(i) {
				return
			}
		}
	}
}

// Seed is the seed of a test's chance: KANGMA_SEED, else the given one, or the clock's where that is 0. It is printed.
func Seed(tb testing.TB, otherwise uint64) uint64 {
	tb.Helper()
	seed := otherwise
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if s := os.Getenv("KANGMA_SEED"); s != "" {
		if _, err := fmt.Sscanf(s, "%d", &seed); err != nil {
			tb.Fatalf("KANGMA_SEED is not a number: %v", err)
		}
	}
	tb.Logf("seed %d", seed)
	return seed
}

// Own is a test's own seed where each of many has one: shifted by KANGMA_SEED, if that is set. It is printed.
func Own(tb testing.TB, seed uint64) uint64 {
	tb.Helper()
	if os.Getenv("KANGMA_SEED") != "" {
		return Seed(tb, 0) + seed
	}
	return Seed(tb, seed)
}
