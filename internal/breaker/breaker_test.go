package breaker_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma/internal/breaker"
)

func TestBreaker(t *testing.T) {
	t0 := time.Date(2022, 7, 10, 8, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	fresh := func() *breaker.Breaker {
		return &breaker.Breaker{After: 300 * time.Millisecond, Probe: 500 * time.Millisecond}
	}
	t.Run("one failure does not open it", func(t *testing.T) {
		b := fresh()
		b.Done(false, at(0))
		if b.Open() || !b.Allow(at(1)) {
			t.Error("opened by one failure")
		}
	})
	t.Run("three failures in a row open it", func(t *testing.T) {
		b := fresh()
		for i := range 3 {
			b.Done(false, at(i))
		}
		if !b.Open() || b.Allow(at(10)) {
			t.Error("still closed")
		}
	})
	t.Run("two failures over a while open it", func(t *testing.T) {
		b := fresh()
		b.Done(false, at(0))
		b.Done(false, at(300))
		if !b.Open() {
			t.Error("still closed")
		}
	})
	t.Run("a success in between starts the count again", func(t *testing.T) {
		b := fresh()
		b.Done(false, at(0))
		b.Done(false, at(1))
		b.Done(true, at(2))
		b.Done(false, at(400))
		b.Done(false, at(401))
		if b.Open() {
			t.Error("opened though a call succeeded")
		}
	})
	t.Run("while open one call in each pause may try", func(t *testing.T) {
		b := fresh()
		for range 3 {
			b.Done(false, at(0))
		}
		if b.Allow(at(499)) || !b.Allow(at(500)) || b.Allow(at(501)) {
			t.Error("not exactly one try")
		}
		b.Done(false, at(800))
		if b.Allow(at(999)) || !b.Allow(at(1000)) {
			t.Error("not exactly one try in the next pause")
		}
		b.Done(true, at(1001))
		if b.Open() || !b.Allow(at(1001)) || !b.Allow(at(1001)) {
			t.Error("a success does not close it")
		}
	})
}
