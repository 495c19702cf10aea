package api

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatAProxySaysIsReadInItsForms(t *testing.T) {
	at := time.UnixMilli(1669100000123)
	for text, want := range map[string]time.Time{
		"t=1669100000.123": at, "1669100000.123": at, "t=1669100000123": at, "1669100000123": at, "1669100000.123999": at,
		"1669100000": time.Unix(1669100000, 0), "1669100000.": time.Unix(1669100000, 0), "1669100000.5": time.UnixMilli(1669100000500),
		"": {}, "t=": {}, "t": {}, "-1": {}, "12": {}, "t=1669100000123456": {}, "1669100000,123": {}, "166910000012345678901234567890": {}, ".5": {}, "1.2.3": {}, "t=t=1669100000": {},
	} {
		if got := requestStart(text); !got.Equal(want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
		if got := requestStart([]byte(text)); !got.Equal(want) {
			t.Errorf("%q as bytes: %v, want %v", text, got, want)
		}
	}
}

func TestWhoWaitedTooLongIsLate(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		class  class
		waited time.Duration
		want   bool
	}{
		{forResidents, showWait, false}, {forResidents, showWait + 1, true}, {forGates, showWait + 1, false}, {forGates, gateWait + 1, true},
		{forFeeds, time.Second, false}, {forResidents, -time.Hour, false}, {forResidents, oldestWait, false},
	} {
		if got := c.class.late(now.Add(-c.waited), now); got != c.want {
			t.Errorf("class %d after %v: %v", c.class, c.waited, got)
		}
	}
	if forResidents.late(time.Time{}, now) {
		t.Error("who says nothing is late")
	}
}

func TestOnlyAClockThatIsOursIsBelieved(t *testing.T) {
	here, there := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}
	s := &Server{}
	if !s.believes(here) || s.believes(there) || s.believes(&net.UnixAddr{}) {
		t.Error("a proxy on another machine has another clock")
	}
	if s.cfg.TrustRequestStart = true; !s.believes(there) {
		t.Error("the operator said that it agrees")
	}
}

func TestTheSystemKnowsHowLongARequestLayUnread(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := client.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	s := &Server{throttle: newThrottle(8, time.Now)}
	h := &hotConn{front: &front{s: s}, conn: &conn{Conn: server}}
	for end := time.Now().Add(time.Minute); h.unheard() <= showWait; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute it lay there for %v", h.unheard())
		}
	}
	if _, ok := h.enter(forResidents); !ok {
		t.Error("refused though the processor has time for it")
	}
	s.throttle.lag.Store(int64(time.Hour))
	s.throttle.heard.Store(time.Now().Add(time.Hour).UnixNano())
	if after, ok := h.enter(forResidents); ok || after < 1 {
		t.Error("answered first, though the processor is full and fresher ones wait")
	}
	if _, ok := h.enter(forFeeds); !ok {
		t.Error("a class without patience was refused by its age")
	}
}

func TestBackgroundWorkLeavesTheProcessorToRequestsAndEndsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(128, time.Now)
		wait := th.spare(16)
		work := func() time.Duration {
			time.Sleep(20 * time.Millisecond)
			began := time.Now()
			if err := wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if rest := work(); rest != 0 {
			t.Errorf("rests for %v though nobody waits", rest)
		}
		late := func() { th.lag.Store(int64(2 * lagMost)); th.heard.Store(time.Now().Add(time.Hour).UnixNano()) }
		late()
		if rest := work(); rest != 15*20*time.Millisecond {
			t.Errorf("rests for %v after 20 ms of work, want 300 ms", rest)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if wait(ctx) == nil {
			t.Error("the end of the context is not told")
		}
		th.heard.Store(time.Now().Add(-lagFresh).UnixNano())
		if rest := work(); rest != 0 {
			t.Errorf("rests for %v for requests of long ago", rest)
		}
		th.running = 128/spareShare + 1
		if rest := work(); rest != 300*time.Millisecond {
			t.Errorf("rests for %v while many are inside", rest)
		}
	})
}

// Few connections: nobody is inside.
func TestLateHearingIsNoticedWithFewConnections(t *testing.T) {
	th := newThrottle(128, time.Now)
	if th.hear(); th.cramped() {
		t.Fatal("cramped from the beginning")
	}
	for range 3 * hearSmooth { // as hear would note it
		th.note(time.Now().UnixNano()-int64(2*time.Millisecond), time.Now().UnixNano())
	}
	if !th.cramped() || th.crowded() {
		t.Errorf("2 ms late each time: cramped %v, crowded %v", th.cramped(), th.crowded())
	}
}
