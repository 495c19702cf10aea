package main

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma/keystore/presign"
)

func TestAStockOfNoncesIsFilledWhileThereIsNothingElseToDo(t *testing.T) {
	stock, err := presign.New(64 * 100)
	if err != nil {
		t.Fatal(err)
	}
	defer stock.Close()
	var idle atomic.Int64 // as the machine would say
	asked := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		fillNonces(ctx, stock, func() (time.Duration, bool) { return time.Duration(idle.Load()), true }, func(ctx context.Context) error {
			select {
			case asked <- struct{}{}: // requests leave room
			case <-ctx.Done():
			}
			return ctx.Err()
		})
	}()
	for range 3 {
		<-asked
	}
	if n := stock.Stats().Ready; n != 0 {
		t.Errorf("%d nonces although the processors were busy", n)
	}
	for end := time.Now().Add(time.Minute); stock.Stats().Ready < 100 && time.Now().Before(end); {
		idle.Add(int64(time.Second))
		<-asked
	}
	if n := stock.Stats().Ready; n != 100 {
		t.Errorf("%d of 100 nonces after a minute with nothing to do", n)
	}
	cancel()
	<-over
}

func TestTheSizeOfAStock(t *testing.T) {
	if n := nonceBytes(0, false); n != 0 {
		t.Errorf("switched off: %d", n)
	}
	if n := nonceBytes(3, true); n != 3<<20 {
		t.Errorf("asked for: %d", n)
	}
	if n := nonceBytes(-1, true); n != 0 {
		t.Errorf("with a shared state, by itself: %d", n)
	}
	if n := nonceBytes(-1, false); n < 64 || n > nonceMost {
		t.Errorf("by itself: %d", n)
	}
	if idle, ok := idleTime(); !ok || idle <= 0 {
		t.Errorf("the machine's idle time: %v, %v", idle, ok)
	}
}
