package storetest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma/store/storetest"
)

func TestMemoryMomentsPassTheSuite(t *testing.T) {
	var clock atomic.Int64
	m := &storetest.MemoryMoments{Now: func() time.Time { return time.Unix(1e9, clock.Load()) }}
	storetest.Moments(t, m, func(d time.Duration) { clock.Add(int64(d)) })
}
