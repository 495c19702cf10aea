package main

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore/presign"
)

const (
	nonceShare  = 64 // a stock of nonces takes so small a part of the memory by itself
	nonceMost   = 128 << 20
	recentShare = 256 // and what is remembered of issued codes
	recentMost  = 64 << 20

	fillTick  = 100 * time.Millisecond
	fillQuiet = 2 * time.Second // between two looks at a full stock
)

// nonceBytes is how large the stock is: so many MiB as asked for; below zero: by itself. With a shared state that is none: a
// code with a drawn nonce is recognised at once by the node that made it, and the others verify it (docs/adr/0019).
func nonceBytes(mib int, shared bool) int {
	switch limit := memoryLimit(); {
	case mib >= 0:
		return mib << 20
	case shared:
		return 0
	case limit > 0:
		return int(min(nonceMost, limit/nonceShare))
	}
	return 1 << 20
}

// useNonces lets the codes be signed with nonces drawn ahead, and remembered; it gives the stock, nil where there is none.
func (s *stack) useNonces(mib int) (*presign.Stock, error) {
	if mib > 64<<10 {
		return nil, kangma.E(kangma.Invalid, "nonce_stock", "a stock of nonces has at most 65536 MiB")
	}
	size := recentMost
	if limit := memoryLimit(); limit > 0 {
		size = int(min(recentMost, limit/recentShare))
	}
	s.codes.recent = codegen.NewRecent(size)
	if bytes := nonceBytes(mib, s.redis != nil); bytes > 0 {
		stock, err := presign.New(bytes)
		if err != nil {
			return nil, err
		}
		s.onClose(stock.Close)
		s.keys.UseNonces(stock)
		s.nonces = stock
	}
	return s.nonces, s.codes.refresh(time.Now())
}

// fillNonces fills the stock until ctx ends, in three quarters of the time in which the machine has nothing to do. (A thread
// with a lower priority would not do: while it is kept waiting it holds one of the few places at which Go runs anything.)
func fillNonces(ctx context.Context, stock *presign.Stock, idleTime func() (time.Duration, bool), spare func(context.Context) error) {
	idle, _ := idleTime()
	wait := fillTick
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if spare(ctx) != nil {
			return
		}
		budget := fillTick / 4
		if now, ok := idleTime(); ok {
			budget = min(fillTick, (now-idle)*3/4)
			idle = now
		}
		wait = fillTick
		for began := time.Now(); time.Since(began) < budget; runtime.Gosched() {
			if !stock.Draw() {
				wait = fillQuiet
				break
			}
		}
	}
}

// idleTime is how long the processors of this machine have had nothing to do, all together since it started (proc(5),
// /proc/stat: hundredths of a second).
func idleTime() (time.Duration, bool) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	f := bytes.Fields(line) // cpu user nice system idle iowait …
	if len(f) < 6 {
		return 0, false
	}
	idle, err := strconv.ParseInt(string(f[4]), 10, 64)
	waiting, err2 := strconv.ParseInt(string(f[5]), 10, 64)
	return time.Duration(idle+waiting) * 10 * time.Millisecond, err == nil && err2 == nil
}

var (
	descNonces    = desc("nonces_ready", "Nonces drawn ahead for signatures.")
	descNonceMiss = desc("nonces_missed_total", "Signatures that had to wait for theirs to be drawn.")
	descNonceLost = desc("nonces_forgotten_total", "Nonces erased unused because the clock jumped: the machine was asleep, or went on from a snapshot.")
)

// nonces gives the figures of the stock.
func (f figures) nonces(gauge, count func(*prometheus.Desc, float64, ...string)) {
	if f.s.nonces == nil {
		return
	}
	st := f.s.nonces.Stats()
	gauge(descNonces, float64(st.Ready))
	count(descNonceMiss, float64(st.Missed))
	count(descNonceLost, float64(st.Forgotten))
}
