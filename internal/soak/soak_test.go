package soak_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma/internal/soak"
)

func TestForms(t *testing.T) {
	for _, c := range []struct {
		long, kills, limit string
		want               int
	}{
		{"", "", "", 3},
		{"1", "", "", 20},
		{"", "7", "", 7},
		{"1", "7", "", 7},
		{"1", "2", "", 3},
		{"1", "", "1ns", 3},
	} {
		t.Setenv("KANGMA_SOAK", c.long)
		t.Setenv("KANGMA_KILLS", c.kills)
		t.Setenv("KANGMA_ROUND_TIME", c.limit)
		got := 0
		for range soak.Rounds(t, 3, 20) {
			got++
			time.Sleep(time.Nanosecond)
		}
		if got != c.want {
			t.Errorf("%+v: %d rounds, want %d", c, got, c.want)
		}
	}
}

func TestSeed(t *testing.T) {
	t.Setenv("KANGMA_SEED", "")
	if soak.Seed(t, 7) != 7 || soak.Seed(t, 0) == 0 {
		t.Error("the test's own seed, or the clock's")
	}
	t.Setenv("KANGMA_SEED", "99")
	if got := soak.Seed(t, 7); got != 99 {
		t.Errorf("got %d, want 99", got)
	}
	if a, b := soak.Own(t, 1), soak.Own(t, 2); a == b || a == 1 {
		t.Errorf("got %d and %d, want two others", a, b)
	}
}
